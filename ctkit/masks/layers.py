"""Which blocks a mask is for: a window around one of them, or groups of them."""

from itertools import product
from operator import index

from ..errors import CtkitError, shown


def around(centre: int, width: int, n_layers: int | None = None) -> tuple[int, ...]:
    """The `width` blocks around one, for a knock-out with a layer window (Geva et al. 2023, arXiv 2304.14767).

    `centre` stands in the middle, or right behind it where the width is even. Blocks below 0 do not exist and are left
    out, and so are those from `n_layers` on where it is given. A width of 0 is no block at all.

    >>> around(6, 5), around(1, 5), around(11, 5, n_layers=12)
    ((4, 5, 6, 7, 8), (0, 1, 2, 3), (9, 10, 11))
    """
    try:
        centre, width, last = index(centre), index(width), None if n_layers is None else index(n_layers)
    except TypeError:
        centre = -1
    if centre < 0 or width < 0 or (last is not None and centre >= last):
        raise CtkitError(
            f"{shown(width)} blocks around block {shown(centre)}",
            "no such window" if n_layers is None else f"blocks 0 to {n_layers - 1}",
            "a block of the model and a whole width, such as ct.masks.around(6, 5)",
        )
    stop = centre - width // 2 + width
    return tuple(range(max(0, centre - width // 2), stop if last is None else min(stop, last)))


def groups(code: str, n_layers: int) -> tuple[int, ...]:
    """The blocks whose group has a 1 in `code`: consecutive groups as equal as possible, the lowest blocks first.

    Four groups are those of "Looking Right is Sometimes Right" (Dukić and Šnajder, ACL 2024, arXiv 2401.14556), for any
    depth. Where the blocks do not divide evenly, the first groups have one more.

    >>> groups("1000", 32), groups("0110", 10)
    ((0, 1, 2, 3, 4, 5, 6, 7), (3, 4, 5, 6, 7))
    """
    checked_code(code)
    if not isinstance(n_layers, int) or n_layers < len(code):
        raise CtkitError(
            f"{len(code)} groups of blocks", f"{shown(n_layers)} blocks", "a code with a digit for each block, or fewer"
        )
    each, more = divmod(n_layers, len(code))
    starts = [each * i + min(i, more) for i in range(len(code) + 1)]
    return tuple(layer for i, bit in enumerate(code) if bit == "1" for layer in range(starts[i], starts[i + 1]))


def codes(n_groups: int = 4) -> tuple[str, ...]:
    """All configurations of so many groups, from all closed to all open: 16 for four groups.

    >>> codes(2)
    ('00', '01', '10', '11')
    """
    if not isinstance(n_groups, int) or not 1 <= n_groups <= 12:
        raise CtkitError(f"the codes of {shown(n_groups)} groups", "no such number of groups", "1 to 12 groups")
    return tuple(map("".join, product("01", repeat=n_groups)))


def checked_code(code: str) -> None:
    """Refuse what is no row of zeros and ones, at most 1,000 of them."""
    if not isinstance(code, str) or not 0 < len(code) <= 1000 or set(code) - {"0", "1"}:
        raise CtkitError(
            f"the groups of blocks {shown(code)}",
            "no row of zeros and ones",
            '"1000": a digit for each group, the lowest blocks first; 1 changes the mask there',
        )
