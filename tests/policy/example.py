"""One policy file that says a little of everything, for tests that need one."""

EXAMPLE = """
id = "p1-nl"
version = 3
mode = "opt-in"
basis = "consent"
jurisdiction = "NL"
next_review = 2027-10-01
proof_term = "5 years"

[controller]
id = "voorbeeld"
name = "Voorbeeld BV"
timezone = "Europe/Amsterdam"
dpo = "fg@voorbeeld.example"
authority = "Autoriteit Persoonsgegevens"
privacy_notice = "https://voorbeeld.example/privacy"

[approval]
role = "data protection officer"

[language]
chosen_by = "fixed"

[digits]
agree = "1"
refuse = "2"
repeat = "#"

[timing]
attempts = 3
repeats = 1
first_digit_s = 4.5
overall_s = 60

[announcement]
text = "p1"
[announcement.nl]
address = "voorbeeld punt example"

[[purposes]]
name = "training"
keep = "90 days"
[purposes.announced]
nl = "de training van onze medewerkers"

[[purposes]]
name = "evidence"
keep = "1 month"
[purposes.announced]
nl = "bewijs"

[agents]
basis = "legitimate-interests"
notice = "Personeelshandboek"
works_council = "Ondernemingsraad, 2026-02"
"""
