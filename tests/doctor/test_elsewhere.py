"""What Asterisk keeps of callers is named where it is on, and where it lies; its contents are not."""

from pathlib import Path

import pytest

from asterisk_consent.doctor import asterisk_conf
from asterisk_consent.doctor.access import is_there
from asterisk_consent.doctor.asterisk_conf import read_conf
from asterisk_consent.doctor.elsewhere import AsteriskPlace, elsewhere_findings
from asterisk_consent.doctor.finding import Level
from asterisk_consent.errors import ConsentError
from tests.doctor.levels import levels, only, those

NUMBER = "+31201234567"


@pytest.fixture
def pbx(tmp_path: Path) -> AsteriskPlace:
    """An Asterisk that keeps nothing."""
    place = AsteriskPlace(etc=tmp_path / "etc", log=tmp_path / "log")
    place.etc.mkdir()
    place.log.mkdir()
    return place


def write(place: AsteriskPlace, **files: str) -> None:
    for name, text in files.items():
        (place.etc / f"{name}.conf").write_text(text)


def test_an_asterisk_that_keeps_nothing_is_right(pbx: AsteriskPlace) -> None:
    assert set(levels(elsewhere_findings(pbx))) == {Level.OK}


ON = {
    "cdr_csv": ({"cdr": "[csv]\nusegmtime=yes"}, "cdr-csv"),
    "cdr_custom": ({"cdr_custom": "[mappings]\nMaster.csv => x"}, "cdr-custom"),
    "cdr_adaptive_odbc": (
        {"cdr_adaptive_odbc": "[first]\nconnection=mysql1\ntable=cdr"},
        "cdr_adaptive_odbc.conf",
    ),
    "cdr_pgsql": ({"cdr_pgsql": "[global]\nhostname=localhost"}, "cdr_pgsql.conf"),
    "cdr_manager": ({"cdr_manager": "[general]\nenabled = yes"}, "cdr_manager.conf"),
    "cel_custom": (
        {"cel": "[general]\nenable=yes", "cel_custom": "[mappings]\nMaster.csv => x"},
        "cel-custom",
    ),
    "cel_odbc": ({"cel": "[general]\nenable = yes", "cel_odbc": "[a]\nconnection=x"}, "cel_odbc.conf"),
    "res_hep": ({"hep": "[general]\ncapture_address = 192.0.2.1:9061"}, "that server"),
    "res_pjsip_logger": ({"pjsip": "[global]\ntype=global\ndebug=yes"}, "logs in"),
    "chan_sip": ({"sip": "[general]\nsipdebug = yes"}, "logs in"),
    "dtmf, verbose": ({"logger": "[logfiles]\nfull => notice,verbose(3),dtmf"}, "log/full"),
    "verbose": ({"logger": "[logfiles]\nx.log => [json]verbose"}, "log/x.log"),
    "*": ({"logger": "[logfiles]\nsyslog.local0 => *"}, "syslog"),
    "the queues": ({"extconfig": "[settings]\nqueue_log => odbc,asterisk"}, "a database"),
}


@pytest.mark.parametrize(("name", "found"), ON.items(), ids=ON)
def test_what_is_on_is_yellow_and_says_where_it_lies(
    pbx: AsteriskPlace, name: str, found: tuple[dict[str, str], str]
) -> None:
    files, where = found
    write(pbx, **files)
    (finding,) = those(elsewhere_findings(pbx), Level.WARN)
    assert name in finding.what
    assert "lies elsewhere, has its own term: " in finding.what
    assert where in finding.what.partition("own term: ")[2]


OFF = {
    "cdr": {"cdr": "[general]\nenable=no\n[csv]\nusegmtime=yes"},
    "cdr_manager": {"cdr_manager": "[general]\n;enabled = yes"},
    "cel": {"cel": "[general]\n;enable=yes", "cel_custom": "[mappings]\nMaster.csv => x"},
    "hep": {"hep": "[general]\nenabled = no ; yes"},
    "pjsip": {"pjsip": "[global]\ntype=global\ndebug=no\n[other]\ndebug=yes"},
    "logger": {"logger": "[logfiles]\nconsole => verbose,dtmf\nmessages => notice,warning,error"},
    "comments": {"cdr": ";--\n[csv]\n--;\n;[csv]"},
}


@pytest.mark.parametrize("files", OFF.values(), ids=OFF)
def test_what_is_off_is_right(pbx: AsteriskPlace, files: dict[str, str]) -> None:
    write(pbx, **files)
    assert set(levels(elsewhere_findings(pbx))) == {Level.OK}


def test_what_lies_there_of_earlier_is_yellow(pbx: AsteriskPlace) -> None:
    (pbx.log / "cdr-csv").mkdir()
    (pbx.log / "cdr-csv" / f"{NUMBER}.csv").write_text("x")
    (pbx.log / "queue_log").write_text("x")
    found = those(elsewhere_findings(pbx), Level.WARN)
    assert ["of earlier" in found[0].what, "queues" in found[1].what] == [True, True]
    assert not [finding for finding in found if NUMBER in finding.what + finding.where]


def test_captures_among_the_logs_are_counted_and_not_named(pbx: AsteriskPlace) -> None:
    (pbx.log / f"{NUMBER}.pcap").touch()
    (pbx.log / "b.pcapng").touch()
    (finding,) = those(elsewhere_findings(pbx), Level.WARN)
    assert "2 captures" in finding.what
    assert NUMBER not in finding.what


def test_what_no_running_module_writes_is_off(pbx: AsteriskPlace) -> None:
    write(pbx, cdr="[csv]", hep="[general]")
    without = AsteriskPlace(etc=pbx.etc, log=pbx.log, modules=frozenset({"cdr_custom.so"}))
    assert set(levels(elsewhere_findings(without))) == {Level.OK}
    with_them = AsteriskPlace(etc=pbx.etc, log=pbx.log, modules=frozenset({"cdr_csv.so", "res_hep.so"}))
    assert len(those(elsewhere_findings(with_them), Level.WARN)) == 2


def test_without_an_asterisk_here_nothing_is_known_and_that_is_said(tmp_path: Path) -> None:
    found = list(elsewhere_findings(AsteriskPlace(etc=tmp_path / "etc", log=tmp_path / "log")))
    assert levels(found) == [Level.UNKNOWN, Level.UNKNOWN]
    assert ["--asterisk-etc" in found[0].remedy, "--asterisk-log" in found[1].remedy] == [True, True]


def test_includes_are_followed_patterns_too_and_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "cel.conf").write_text(
        '#include "cel_general.conf"\n#tryinclude none.conf\n#exec "/bin/false"\n#include cel.d/*.conf\n'
    )
    (tmp_path / "cel_general.conf").write_text("[general](+)\nenable => yes\n#include cel.conf\n")
    (tmp_path / "cel.d").mkdir()
    (tmp_path / "cel.d" / "a.conf").write_text("[manager]\nenabled=yes\n")
    conf = read_conf(tmp_path, "cel.conf")
    assert conf.is_on("general", "enable", default=False)
    assert conf.is_on("manager", "enabled", default=False)


def test_a_file_that_may_not_be_read_is_not_known(
    pbx: AsteriskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(pbx, hep="[general]")

    def refused(path: Path) -> bool:
        if path.name == "hep.conf":
            raise ConsentError(
                "cannot be looked at: Permission denied", where=str(path)
            ) from PermissionError()
        return is_there(path)

    monkeypatch.setattr(asterisk_conf, "is_there", refused)
    finding = only((each for each in elsewhere_findings(pbx) if each.level is not Level.OK), Level.UNKNOWN)
    assert finding.where.endswith("hep.conf")
