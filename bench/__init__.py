"""Side-by-side measurements on the development PBX, with digits pressed by real RTP.

Rule: what is compared runs under the same conditions, alternately, in the same run: the same audio files
played, the same digit pressed at the same moment, the same call afterwards. Figures are printed and written
as they are, the missed ones too.
"""
