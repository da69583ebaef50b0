# SPDX-License-Identifier: MIT
"""Bar charts as SVG, to stand in a page: bars lie, so that their names can be read."""
import collections
import html
import math

# One bar. segments: (value, class) each, end to end; none: there is only text to say why.
Bar = collections.namedtuple("Bar", "name segments text")
# Bars that belong together, below one heading.
Group = collections.namedtuple("Group", "heading bars")
# What the values are and how far they reach: ticks are at ticks(), a value is text by form().
Scale = collections.namedtuple("Scale", "unit ticks at")

WIDTH, LEFT, RIGHT = 990, 170, 300
BAR, HEADING, GAP = 20, 24, 12
PLOT = WIDTH - LEFT - RIGHT


def linear(unit, most):
    """From 0 to a round number, `most` or the next one."""
    power = 10 ** math.floor(math.log10(most)) if most else 1
    top = next(s * power for s in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if s * power >= most)
    ticks = [(top * i / 5, f"{round(top * i / 5, 9):,g}") for i in range(6)]
    return Scale(unit, ticks, lambda value: value / top)


def logarithmic(unit, base, least, most, form):
    """Powers of `base` from below `least` to `most`; what is 0 has no bar."""
    low = math.ceil(round(math.log(least, base), 9)) - 1
    high = math.ceil(round(math.log(most, base), 9))
    ticks = [(base ** i, form(base ** i)) for i in range(low, high + 1)]

    def at(value):
        return (math.log(value, base) - low) / (high - low) if value > 0 else 0
    return Scale(f"{unit}, logarithmic", ticks, at)


def text(x, y, content, *classes, anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{" ".join(classes)}">'
            f"{html.escape(content)}</text>")


def bar(y, scale, item):
    yield text(LEFT - 8, y + BAR - 6, item.name, "name", anchor="end")
    start = 0
    for value, kind in item.segments:
        end = start + value
        x, width = LEFT + PLOT * scale.at(start), PLOT * (scale.at(end) - scale.at(start))
        if width > 0:
            yield (f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{BAR - 4}" '
                   f'class="{kind}"/>')
        start = end
    yield text(LEFT + PLOT * scale.at(start) + 6, y + BAR - 6, item.text,
               "value" if item.segments else "none")


def legend_of(legend):
    x = LEFT
    for name, kind in legend:
        yield f'<rect x="{x}" y="4" width="14" height="14" class="{kind}"/>'
        yield text(x + 20, 16, name, "name")
        x += 40 + 8 * len(name)


def axis(top, bottom, scale):
    for value, label in scale.ticks:
        x = LEFT + PLOT * scale.at(value)
        yield f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" class="grid"/>'
        yield text(x, bottom + 16, label, "tick", anchor="middle")
    yield text(LEFT + PLOT / 2, bottom + 36, scale.unit, "unit", anchor="middle")


def chart(title, scale, groups, legend=()):
    """An <svg> of the groups, a heading above each."""
    top = 28 if legend else 4
    y, body = top, []
    for group in groups:
        body.append(text(LEFT, y + HEADING - 8, group.heading, "heading"))
        y += HEADING
        for item in group.bars:
            body.extend(bar(y, scale, item))
            y += BAR
        y += GAP
    parts = [*legend_of(legend), *axis(top, y, scale), *body]
    height = y + 44
    return (f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
            f'xmlns="http://www.w3.org/2000/svg"><title>{html.escape(title)}</title>\n'
            + "\n".join(parts) + "\n</svg>")
