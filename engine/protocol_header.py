"""The text of `docs/carbonbook.h`: the records as C structs, the enums, the reason codes with their texts."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from engine import schema
from engine.protocol_words import COMMAND_LINE, ENUMS, FIELD_MEANINGS, layout
from engine.schema import (
    COMMAND,
    EVENT,
    FIRM_BYTES,
    FIRST_OPERATOR_KIND,
    REASON_TEXT,
    Reason,
)


def _c_struct(name: str, dtype: np.dtype[Any]) -> str:
    lines = [f"/* {dtype.itemsize} bytes */", f"typedef struct cb_{name} {{"]
    for f in layout(dtype):
        if name == "command" and f.offset == FIRM_BYTES:
            lines.append("    /* from here on written by the gateway only */")
        lines.append(f"    {f.c_type + ' ' + f.name + ';':<34}/* {f.offset:>3}: {FIELD_MEANINGS[name][f.name]} */")
    lines.append(f"}} cb_{name};\n")
    lines.append(f'CB_ASSERT(sizeof(cb_{name}) == {dtype.itemsize}, "size of cb_{name}");')
    for f in layout(dtype):
        lines.append(f'CB_ASSERT(offsetof(cb_{name}, {f.name}) == {f.offset}, "offset of cb_{name}.{f.name}");')
    return "\n".join(lines) + "\n"


def _c_enum(name: str, prefix: str, purpose: str, members: list[tuple[str, int]]) -> str:
    tag = "cb_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    lines = [f"/* {purpose.replace('`', '')} */", f"enum {tag} {{"]
    lines += [f"    {prefix}{member} = {value}," for member, value in members]
    return "\n".join([*lines, "};\n"])


def header_text() -> str:
    """The whole of docs/carbonbook.h."""
    enums = []
    for enum, prefix, purpose in ENUMS:
        members = [(member.name or "", int(member)) for member in enum]
        enums.append(_c_enum(enum.__name__, prefix, purpose, members))
    codes = [(code.name, int(code)) for code in Reason]
    enums.append(_c_enum("Reason", "CB_REASON_", "Why a command was refused or an order ended.", codes))
    texts = "\n".join(f'    case CB_REASON_{code.name}: return "{REASON_TEXT[code]}";' for code in Reason)
    limits = [
        ("SCHEMA_VERSION", str(schema.SCHEMA_VERSION), ""),
        ("FIRM_BYTES", str(FIRM_BYTES), "what a firm sends of a cb_command"),
        ("FIRST_OPERATOR_KIND", str(FIRST_OPERATOR_KIND), "kinds from here on need an operator's session"),
        ("MAX_PRICE", f"INT32_C({schema.MAX_PRICE})", "ticks"),
        ("MAX_QUANTITY", f"INT64_C({schema.MAX_QUANTITY})", "lots"),
        ("MAX_MONEY", f"INT64_C({schema.MAX_MONEY})", "minor units"),
    ]
    defines = "\n".join(f"#define CB_{name} {value}" + (note and f" /* {note} */") for name, value, note in limits)
    body = "\n".join([*enums, _c_struct("command", COMMAND), _c_struct("event", EVENT)])
    return f"""\
/* The records of carbonbook, for C11 and C++11 and later.
 *
 * Generated from engine/schema/. Do not edit; regenerate with: {COMMAND_LINE}
 * Explained in protocol.md. All fields are little-endian: a big-endian machine swaps bytes after reading.
 */
#ifndef CARBONBOOK_H
#define CARBONBOOK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CB_ASSERT static_assert
#else
#define CB_ASSERT _Static_assert
#endif

{defines}

{body}
static inline const char *cb_reason_text(int16_t reason)
{{
    switch (reason) {{
{texts}
    default: return "unknown reason";
    }}
}}

#endif
"""
