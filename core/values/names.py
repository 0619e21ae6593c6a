"""What a name may be, and names for those who gave none."""

from __future__ import annotations

import random
import unicodedata

from headwater.core.errors import InvalidName

NAME_LENGTH_MAX = 255

_ADJECTIVES = """
amber ancient autumn azure bold brave bright brisk broad calm clear cool coral crisp deep eager early fair fleet gentle glad golden
grand green hidden humble keen kind late light lively lone lucid mellow merry mild misty mossy noble pale patient pearl placid plain
proud quick quiet rapid rare ready rosy round rustic sandy serene sharp shy silent silver sleek slow smooth soft solid spring steady
still stony subtle sunny sweet swift tall tawny tender tidal tidy upper vast velvet vivid warm white wide wild winding windy wise young
"""
_NOUNS = """
alder badger bank bay beaver bend birch bittern bream bridge brook canal carp cascade channel chub clay coot cove crane creek current
dabbler dace delta dew dipper drake eddy eel egret estuary falcon fen ferry ford gorge grebe gully harbour hazel heron ibis island
kestrel kingfisher lagoon lake lamprey landing lily loach loch mallard marsh meadow mere mill minnow mist moor newt oar osprey otter
oxbow pebble pike pond pool rapid reed ripple river salmon sandbar shallow shoal sluice snipe source spring stork strand strait stream
sturgeon swan tarn tern tide trout upland vale wader warbler weir wharf willow
"""


def valid_name(name: object, *, kind: str) -> str:
    """Return `name` if it may name a `kind` ("project", "flow", "run", ...).

    Any printable text of 1 to 255 characters may: spaces, commas, quotes and emoji included.

    Raises:
        InvalidName: empty or blank, too long, or with control characters.

    """
    if name is not None and not isinstance(name, str):
        raise InvalidName(f"The name of a {kind} is text, and {name!r} is none.", hint=f"Write {str(name)!r}.")
    if name is None or not name.strip():
        raise InvalidName(f"The name of a {kind} cannot be empty.", hint="Give it at least one visible character.")
    if len(name) > NAME_LENGTH_MAX:
        raise InvalidName(f"The name of a {kind} has {len(name)} characters; at most {NAME_LENGTH_MAX} are allowed.")
    for character in name:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise InvalidName(
                f"The name of a {kind} holds the control character U+{ord(character):04X}.",
                hint="Use printable characters; line breaks and tabs are not allowed.",
            )
    return name


def generated_name(source: random.Random) -> str:
    """Return a two-word name such as `quiet-heron`, drawn from `source`."""
    return f"{source.choice(_ADJECTIVES.split())}-{source.choice(_NOUNS.split())}"
