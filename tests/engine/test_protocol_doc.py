"""The generated documents are those of today's schema, and the C header describes the very same bytes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine import protocol_doc, schema
from engine.protocol_words import ENUMS, FIELD_MEANINGS, layout
from engine.schema import COMMAND, EVENT, CommandKind, Reason

DOCS = Path(__file__).parents[2] / "docs"
COMPILER = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)


@pytest.mark.nojit
def test_generated_files_are_up_to_date():
    assert protocol_doc.stale() == [], f"run: {protocol_doc.COMMAND_LINE}"


@pytest.mark.nojit
def test_stale_files_are_found(tmp_path):
    assert protocol_doc.stale(tmp_path) == ["protocol.md", "carbonbook.h"]
    (tmp_path / "protocol.md").write_text(protocol_doc.protocol_text(), "utf-8")
    (tmp_path / "carbonbook.h").write_text(protocol_doc.header_text() + "\n", "utf-8")
    assert protocol_doc.stale(tmp_path) == ["carbonbook.h"]


@pytest.mark.nojit
def test_command_line(capsys, monkeypatch, tmp_path):
    assert protocol_doc.main(["--check"]) == 0
    assert protocol_doc.main(["nonsense"]) == 2
    monkeypatch.setattr(protocol_doc, "FOLDER", tmp_path)
    assert protocol_doc.main([]) == 0
    assert protocol_doc.stale(tmp_path) == []
    assert "docs/protocol.md" in capsys.readouterr().out


@pytest.mark.nojit
def test_every_field_and_enum_has_words():
    assert list(FIELD_MEANINGS["command"]) == list(COMMAND.names or ())
    assert list(FIELD_MEANINGS["event"]) == list(EVENT.names or ())
    enums = {e for e in vars(schema).values() if isinstance(e, type) and e.__module__.startswith("engine.schema")}
    told = {text.enum for text in ENUMS} | {Reason}
    assert {e for e in enums if hasattr(e, "__members__")} == told
    assert len({text.prefix for text in ENUMS}) == len(ENUMS)


@pytest.mark.nojit
def test_page_maps_every_kind_and_reason():
    page = protocol_doc.protocol_text()
    for kind in CommandKind:
        assert f"**{kind.name}** = {int(kind)}: " in page
    for reason in Reason:
        assert f"| {int(reason)} " in page and f" {reason.name} " in page
    for link in ("session-protocol.md", "journal.md", "engine.md", "carbonbook.h"):
        assert f"]({link})" in page


PROGRAM = """
#include <stdio.h>
#include <string.h>
#include "carbonbook.h"
int main(void) {
    cb_command command;
    memset(&command, 0, sizeof command);
    command.kind = CB_COMMAND_NEW_ORDER;
    command.side = CB_SIDE_SELL;
    command.flags = CB_FLAG_POST_ONLY;
    command.instrument = 3;
    command.client_order_id = -2;
    command.price = 7293;
    command.quantity = CB_MAX_QUANTITY;
    command.session = 9;
    fwrite(&command, sizeof command, 1, stdout);
%s
    fputs(cb_reason_text(CB_REASON_OFF_TICK), stdout);
    return 0;
}
"""


@pytest.mark.skipif(COMPILER is None, reason="no C compiler here")
@pytest.mark.parametrize("standard", ["c11", "c17"])
def test_header_compiles_and_agrees(tmp_path, standard):
    """A program built with the header prints sizes and offsets, and writes a command that NumPy reads."""
    prints = []
    for name, dtype in (("command", COMMAND), ("event", EVENT)):
        prints.append(f'    printf("%zu\\n", sizeof(cb_{name}));')
        for field in layout(dtype):
            width = f"sizeof(((cb_{name} *)0)->{field.name})"
            prints.append(f'    printf("%zu %zu\\n", offsetof(cb_{name}, {field.name}), {width});')
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text(PROGRAM % "\n".join(prints))
    strict = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([str(COMPILER), *strict, "-I", str(DOCS), str(source), "-o", str(program)], check=True)
    out = subprocess.run([str(program)], check=True, capture_output=True).stdout

    (command,) = np.frombuffer(out[:96], COMMAND)
    assert (command["kind"], command["side"], command["flags"], command["instrument"]) == (1, 2, 1, 3)
    assert (command["client_order_id"], command["price"], command["quantity"]) == (-2, 7293, 2**31 - 1)
    assert command["session"] == 9

    expected = []
    for dtype in (COMMAND, EVENT):
        expected.append(str(dtype.itemsize))
        expected += [f"{field.offset} {field.width}" for field in layout(dtype)]
    *lines, text = out[96:].decode().split("\n")
    assert lines == expected
    assert text == schema.REASON_TEXT[Reason.OFF_TICK]
