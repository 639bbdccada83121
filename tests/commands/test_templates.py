"""`templates`: the list, one of them, where they are, and the editor."""

import json
from pathlib import Path

import pytest

from tests.conftest import Command, Forker
from tests.terminals import plain


@pytest.fixture
def folder(run: Command) -> Path:
    """Two templates, and one that can't be used."""
    place = run.home / ".config/cometresp/templates"
    place.mkdir(parents=True)
    (place / "b.toml").write_text('description = "Second"\nprompt = "{x} {y}"\nmodel = "m"\n[vars]\ny = 2\n')
    (place / "a b.toml").write_text("")
    (place / "bad.toml").write_text("promt = 1\n")
    (place / "note.txt").write_text("no template")
    return place


def editor(run: Command, script: str) -> dict[str, str]:
    """An editor that does this to the file `$1`."""
    path = run.home / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"EDITOR": str(path)}


def test_templates_are_listed_and_a_bad_one_is_named(run: Command, folder: Path, forker: Forker) -> None:
    warning = f"cometresp: warning: {folder}/bad.toml: unknown setting 'promt'\n"
    assert list(run("templates")) == [0, "a b\t\t\nb\tx y=2\tSecond\n", warning]
    listed = json.loads(run("templates", "--json").out)
    assert [one["name"] for one in listed] == ["a b", "b", "bad"]
    assert listed[1] == {
        "name": "b",
        "path": f"{folder}/b.toml",
        "description": "Second",
        "variables": {"x": None, "y": "2"},
        "flags": {"model": "m"},
        "fault": None,
    }
    assert listed[2]["fault"] == f"{folder}/bad.toml: unknown setting 'promt'"
    (folder / "bad.toml").unlink()
    shown = plain(forker.run(run, ["templates"], env={"NO_COLOR": "1"}, terminal=True).text)
    assert [line.rstrip() for line in shown.splitlines()] == [
        "NAME  VARIABLES  DESCRIPTION",
        "a b",
        "b     x y=2      Second",
    ]


def test_without_a_template_the_list_is_empty_and_says_so_on_a_terminal(run: Command, forker: Forker) -> None:
    assert list(run("templates")) == [0, "", ""]
    shown = plain(forker.run(run, ["templates"], terminal=True).text)
    assert " ".join(shown.split()) == (
        f"there is no template in {run.home}/.config/cometresp/templates; cometresp templates edit NAME makes one"
    )


def test_one_is_shown_as_it_is_and_where_it_is(run: Command, folder: Path) -> None:
    assert run("templates", "show", "bad").text == "promt = 1\n"
    assert json.loads(run("templates", "show", "b", "--json").out)["variables"] == {"x": None, "y": "2"}
    assert run("templates", "path").text == f"{folder}\n"
    assert run("templates", "path", "new").text == f"{folder}/new.toml\n"
    assert run("templates", "path", "./x.toml").text == "x.toml\n"
    assert list(run("templates", "show", "c")) == [
        2,
        "",
        f"cometresp: error: NAME: there is no template c in {folder}\nhint: cometresp templates edit c makes it\n",
    ]
    assert run("templates", "show", "bad", "--json").code == 2


def test_a_template_is_made_and_changed_in_the_editor(run: Command) -> None:
    path = run.home / ".config/cometresp/templates/new.toml"
    assert list(run("templates", "edit", "new", env=editor(run, "true"))) == [0, "", ""]
    assert not path.exists()
    assert run("templates", "edit", "new", env=editor(run, "printf 'prompt = \"p\"' > $1")).code == 0
    assert path.read_text() == 'prompt = "p"'
    assert list(run("templates", "edit", "new", env=editor(run, 'echo "x = [" > $1'))) == [
        2,
        "",
        f"cometresp: error: {path}: not valid TOML: Invalid value (at end of document)\n"
        "hint: the text is kept: cometresp templates edit new\n",
    ]
    assert path.read_text() == "x = [\n"
    assert list(run("templates", "edit", "new", env=editor(run, "exit 3"))) == [
        2,
        "",
        f"cometresp: error: templates edit: {run.home}/editor ended with 3\n",
    ]


def test_the_skeleton_is_a_template_once_its_comments_are_taken_away(run: Command) -> None:
    keep = 'sed -i \'s/^# \\(instr\\|\\[vars\\|lang\\)/\\1/; s/^prompt.*/prompt = "{stdin}"/; /^"""$/d\' $1'
    assert list(run("templates", "edit", "n", env=editor(run, keep))) == [0, "", ""]
    assert run("templates").text == "n\tlanguage=English\t\n"


def test_completion_offers_templates_and_their_variables(run: Command, folder: Path) -> None:
    (folder / "bad.toml").unlink()
    (run.home / "mine.toml").write_text("")
    lines = {
        "ask --template ": "a b\t\nb\tSecond\nmine.toml\t\n",
        "ask --template b --var ": "x=\t\ny=\t2\n",
        "continue --template=b --var=y": "--var=y=\t2\n",
        "ask --template b --var x=@mi": "x=@mine.toml\t\n",
        "templates show ": "a b\t\nb\tSecond\n",
    }
    found = {
        line: run(env={"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": f"cometresp {line}"}).text for line in lines
    }
    assert found == {line: f"words\n{offers}" for line, offers in lines.items()}
