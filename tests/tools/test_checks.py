# SPDX-License-Identifier: Apache-2.0
"""Each check finds what it is there for: a check that finds nothing is a comfort, not a guard."""
import importlib
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import source  # noqa: E402

pytestmark = pytest.mark.style

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LAYERS = (ROOT / "tools" / "layers.txt").read_text()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with nothing in it but the table of layers; a function puts files into it."""
    monkeypatch.setattr(source, "ROOT", tmp_path)

    def put(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    put("tools/layers.txt", LAYERS)
    return put


def findings(name, capsys):
    code = importlib.import_module(f"check_{name}").main()
    text = capsys.readouterr().out
    assert (code != 0) == bool(text.strip())
    return text


@pytest.mark.parametrize("file, include, allowed", [
    ("src/policy/x.c", '"model/fact.h"', True),
    ("src/policy/x.c", '"db/db.h"', False),
    ("src/channel/apple/x.c", '"fleet/enrol.h"', True),
    ("src/channel/apple/x.c", '"channel/channel.h"', True),
    ("src/channel/apple/x.c", '"channel/windows/message.h"', False),
    ("src/channel/apple/x.c", '"store/device.h"', False),
    ("src/channel/apple/deep/x.c", '"store/device.h"', False),
    ("src/cli/x.c", '"connect/http.h"', True),
    ("src/cli/x.c", '"connect/ldap.h"', False),
    ("src/server/x.c", '"keyd/keyd.h"', True),
    ("src/fleet/x.c", '"store/device.h"', True),
    ("src/fleet/x.h", '"store/device.h"', False),
    ("src/fleet/x.c", "<sqlite3.h>", False),
    ("src/codec/x.c", "<expat.h>", True),
    ("src/unheard/x.c", "<stdio.h>", False),
    ("tests/unit/pki/test_x.c", '"keyd/sign.h"', False),
    ("tests/unit/keyd/test_x.c", '"keyd/sign.h"', True),
])
def test_layers_hold(project, capsys, file, include, allowed):
    project(file, f"{SPDX}#include {include}\n")
    assert (findings("layers", capsys) == "") == allowed


@pytest.mark.parametrize("line, allowed", [
    ('buffer_text(out, "hello");', True),
    ('buffer_format(out, "https://<first name>:<port>");', True),
    ('buffer_format(out, "<key>%s</key>", name);', False),
    ('buffer_format(out, "{\\"id\\": %d}", id);', False),
    ('char *copy = strdup(text);', False),
    ('free(text);', False),
    ('mem_free(text);', True),
    ('int n = atoi(text);', False),
    ('driver.free(text);', True),
    ('/* sprintf() would be wrong here */', True),
    ('goto out;', False),
    ('typedef struct device device;', False),
    ('typedef bool handler(struct request *request);', True),
])
def test_markup_and_banned_functions_are_found(project, capsys, line, allowed):
    project("src/fleet/x.c", f"{SPDX}{line}\n")
    assert (findings("markup", capsys) == "") == allowed


@pytest.mark.parametrize("text, allowed", [
    (f"{SPDX}int x;\n", True),
    ("int x;\n", False),
    (f"{SPDX}int x; \n", False),
    (f"{SPDX}int x;", False),
    (f"{SPDX}/* {'TO' 'DO'} */\n", False),
    (f"{SPDX}/* see /{'root'}/notes */\n", False),
    (f"{SPDX}/* see /etc/muster */\n", True),
])
def test_words_are_found(project, capsys, text, allowed):
    project("src/base/x.c", text)
    assert (findings("words", capsys) == "") == allowed


def test_repeated_lines_are_found_whatever_their_spaces(project, capsys):
    lines = [f"call_number_{i}(argument);" for i in range(12)]
    project("src/base/a.c", SPDX + "\n".join(lines) + "\n")
    project("src/base/b.c", SPDX + "\n\n".join(f"    {line}" for line in lines[:11]) + "\n")
    assert findings("repeats", capsys) == ""
    project("src/base/b.c", SPDX + "\n\n".join(f"    {line}" for line in lines) + "\n")
    assert "src/base/b.c" in findings("repeats", capsys)


def test_long_files_and_functions_are_found(project):
    sizes = importlib.import_module("check_sizes")
    project("src/base/long.c", SPDX + "int x;\n" * 801)
    project("src/base/long.h", SPDX + "int x;\n" * 251)
    project("src/base/f.c", SPDX + "void f(void)\n{\n" + "    g();\n" * 58 + "}\n")
    assert [finding.split(":")[0] for finding in sizes.check_files()] == ["src/base/long.c", "src/base/long.h"]
    assert sizes.check_functions()[0].startswith("src/base/f.c:2: f: 61 lines")


def test_comments_and_strings_are_told_apart():
    text = 'a("/* no comment */"); // "no string"\nb(\'"\'); /* c\n */ d("\\"e");\n'
    assert [content for _, content in source.strings(text)] == ["/* no comment */", '\\"e']
    assert "comment" not in source.code_only(text)
    assert source.code_only(text).count("\n") == text.count("\n")
