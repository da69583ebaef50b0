# SPDX-License-Identifier: MIT
"""The page of bench-gpu: what was measured, plots, and matrices as nvbandwidth has them. It needs
no network and no script, and is well-formed XML."""
import html

import bars
from bars import Bar, Group

NAMES = {"stock": "stock", "off": "patched, P2P off", "on": "patched, P2P on"}
KERNEL_NAMES = {"stock": "stock", "patched": "patched"}
LINKS = {"peer": "from GPU to GPU", "ram_write": "written to RAM", "ram_read": "read from RAM"}
TITLES = {
    "device_to_device_memcpy_read_ce": "A copy engine reads the VRAM of the other GPU",
    "device_to_device_memcpy_write_ce": "A copy engine writes to it",
    "device_to_device_bidirectional_memcpy_read_ce": "Both GPUs' copy engines read at once",
    "device_to_device_memcpy_read_sm": "Shaders read it",
    "device_to_device_memcpy_write_sm": "Shaders write to it",
    "device_to_device_migrate": "SVM_BIND migrates its pages",
    "device_to_device_fault_sm": "A shader touches its pages one after the other",
}
# Units of what is counted, which a modelled GPU does as a board would; all else is time.
COUNTED = ("", "1: yes, 0: no", "a byte of payload", "faults", "pages")
WHOLE = ("1: yes, 0: no", "faults", "pages")
NOT_MEASURED = "not possible: no PREFETCH to map pages"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

STYLE = """
body { font: 15px/1.5 "DejaVu Sans", Verdana, sans-serif; max-width: 1000px; margin: 2em auto;
  padding: 0 1em; color: #1b1f24; background: #fff; }
h1 { font-size: 1.6em; line-height: 1.25; } h2 { margin-top: 2em; border-bottom: 1px solid #d0d5db; }
h3 { margin: 1.8em 0 0; font-size: 1em; } code, pre { font-family: "DejaVu Sans Mono", monospace; }
pre { font-size: 12px; overflow-x: auto; background: #f5f6f8; padding: .8em; }
p.note, figcaption { color: #4d5763; } p.failed, .wrong { color: #b3261e; font-weight: bold; }
p.good { color: #1b6e4b; font-weight: bold; } figure { margin: 1.5em 0 2.5em; }
figcaption b { color: #1b1f24; } svg { max-width: 100%; height: auto; margin-top: .8em; }
table { border-collapse: collapse; } table.facts th { text-align: left; padding: .15em 1.2em .15em 0;
  font-weight: normal; color: #4d5763; vertical-align: top; } table.facts td { padding: .15em 0; }
table.pairs th, table.pairs td { border: 1px solid #d0d5db; padding: .2em .7em; text-align: left; }
div.matrices { display: grid; grid-template-columns: repeat(3, minmax(max-content, 1fr)); gap: 1.5em;
  align-items: start; justify-items: start; overflow-x: auto; margin: .4em 0; }
table.matrix { font-variant-numeric: tabular-nums; }
table.matrix caption { text-align: left; color: #4d5763; font-size: .87em; padding-bottom: .2em; }
table.matrix th, table.matrix td { border: 1px solid #d0d5db; padding: .2em .6em; min-width: 4.2em;
  text-align: right; } table.matrix th { background: #f1f3f5; font-weight: normal; }
table.matrix th.row, table.matrix th.corner { min-width: 3em; text-align: left; }
table.matrix td.own { color: #8a939d; } p.waived { color: #4d5763; font-size: .87em; margin: 0; max-width: 17em; }
svg text { font: 13px "DejaVu Sans", Verdana, sans-serif; fill: #1b1f24; }
svg .heading { font-weight: bold; } svg .tick, svg .unit { fill: #4d5763; font-size: 12px; }
svg .none { font-style: italic; fill: #4d5763; } svg .grid { stroke: #dde1e5; }
svg .stock { fill: #858d98; } svg .off { fill: #9dbbe0; } svg .on, svg .patched { fill: #2b5fa8; }
svg .peer { fill: #1b7f5c; } svg .ram_write { fill: #c4533a; } svg .ram_read { fill: #e5ab55; }
"""


def esc(value):
    return html.escape(str(value))


def binary(count):
    for unit, size in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if count >= size:
            return f"{count / size:,.4g} {unit}"
    return f"{count:g} B"


def decimal(count):
    for unit, size in (("G", 10 ** 9), ("M", 10 ** 6), ("k", 10 ** 3)):
        if count >= size and count >= 10000:
            return f"{count / size:.4g} {unit}"
    return f"{count:,g}"


def figure(title, caption, scale, groups, legend=()):
    return (f"<figure>\n<figcaption><b>{esc(title)}.</b> {esc(caption)}</figcaption>\n"
            f"{bars.chart(title, scale, groups, legend)}\n</figure>\n")


# --- plots ---

def link_bar(variant, values):
    if values is None:
        return Bar(NAMES[variant], (), NOT_MEASURED)
    parts = [f"{LINKS[link]} {value:.2f}" for link, value in values.items() if value]
    return Bar(NAMES[variant], [(value, link) for link, value in values.items()],
               ", ".join(parts) or "none")


def count_bar(variant, value):
    if value is None:
        return Bar(NAMES[variant], (), NOT_MEASURED)
    return Bar(NAMES[variant], [(value, variant)], f"{value:,g}")


def most(figures):
    """Largest of all values, those of a stack together."""
    sizes = [sum(v.values()) if isinstance(v, dict) else v
             for variants in figures.values() for v in variants.values() if v is not None]
    return max(sizes, default=0)


def groups_of(figures, to_bar):
    return [Group(TITLES[name], [to_bar(variant, value) for variant, value in variants.items()])
            for name, variants in figures.items()]


def gpu_plots(figures):
    legend = [(name, link) for link, name in LINKS.items()]
    yield figure("Bytes per link", "Bytes that GPUs moved over PCIe for each byte of payload, mean of "
                 "all pairs of GPUs. By way of RAM a byte crosses twice: the owner writes it there, and the other "
                 "GPU reads it, or writes it again. A stock kernel has no way to let a copy engine at "
                 "pages of a process.",
                 bars.linear("bytes a byte of payload", most(figures["bytes"])),
                 groups_of(figures["bytes"], link_bar), legend)
    yield figure("Faults", "Faults that a GPU reports when a shader touches 2 MiB in the VRAM of "
                 "another GPU for the first time, page after page; mean of all pairs.",
                 bars.linear("faults in 2 MiB (512 pages)", most(figures["faults"])),
                 groups_of(figures["faults"], count_bar))
    yield figure("Migrations", "Pages of 4 KiB that left VRAM for RAM, of 2 MiB that another GPU "
                 "used or got; mean of all pairs.",
                 bars.linear("pages of 512", most(figures["to_ram"])),
                 groups_of(figures["to_ram"], count_bar))


def kernel_bars(both, form, kernels=KERNEL_NAMES):
    """A result that is text is why there is none."""
    return [Bar(kernels[kernel], (), value) if isinstance(value, str) else
            Bar(kernels[kernel], [(value, kernel)], form(value)) for kernel, value in both.items()]


def count_plot(title, caption, counts):
    groups = [Group(name, kernel_bars(both, "{:,g}".format)) for name, both in counts.items()]
    top = max(value for both in counts.values() for value in both.values())
    return figure(title, caption, bars.linear("instructions", top), groups)


def memory_plot(title, caption, sizes, uses, unit, base, form):
    """Idle and used, for each size; logarithmic, so that 0 has no bar."""
    numbers = [v for both in sizes.values() for v in both.values() if not isinstance(v, str) and v]
    groups = {}
    for key, both in sizes.items():
        size, use = key.split(", ")
        names = {kernel: f"{kernel}, {uses[use]}" for kernel in both}
        groups.setdefault(size, []).extend(kernel_bars(both, form, names))
    return figure(title, caption,
                  bars.logarithmic(unit, base, min(numbers), max(numbers), form),
                  [Group(f"{size} of device-private memory", items) for size, items in groups.items()])


def memory_plots(figures):
    counts = figures["instructions"]
    small = {k: v for k, v in counts.items() if k.endswith(", 4K")}
    huge = {k: v for k, v in counts.items() if k.endswith(", 2M")}
    loops = {k: v for k, v in counts.items() if k not in small and k not in huge}
    yield memory_plot("Memory", "Struct pages of device-private memory that nobody uses yet (idle), "
                      "and with a tenth of it in use.", figures["struct_pages"],
                      {"idle": "idle", "used": "a tenth used"}, "bytes of struct pages", 16, binary)
    yield memory_plot("Instructions of memory", "What it takes to announce the memory, and then to have "
                      "struct pages of a tenth of it, which stock has by then.",
                      figures["instructions_of_memory"],
                      {"idle": "to announce", "used": "to use a tenth"}, "instructions", 10, decimal)
    yield count_plot("Instructions per page of 4 KiB", "Migration without the copy.", small)
    yield count_plot("Instructions per page of 2 MiB", "Migration without the copy.", huge)
    yield count_plot("Instructions per conversion", "Stock has PFNs where patched has indices.", loops)


# --- matrices ---

def cell_text(value, unit):
    if value is None:
        return "N/A"
    if isinstance(value, str):
        return value
    if unit in WHOLE and value == int(value):
        return f"{value:,.0f}"
    return f"{value:.4f}" if 0 < abs(value) < 1 else f"{value:,.2f}"


def matrix(name, case):
    rows = case["bandwidth_matrix"]
    columns = range(len(rows[0]))
    head = "".join(f'<th scope="col">GPU{column}</th>' for column in columns)
    body = ""
    for number, row in enumerate(rows):
        label = "RAM" if len(rows) == 1 else f"GPU{number}"
        kinds = ["own" if len(rows) > 1 and i == number else "other" for i in columns]
        cells = "".join(f'<td class="{kind}">{esc(cell_text(value, case["unit"]))}</td>'
                        for kind, value in zip(kinds, row))
        body += f'<tr><th scope="row" class="row">{label}</th>{cells}</tr>\n'
    total = f", sum {cell_text(case['sum'], '')}" if case["unit"] == "GB/s" and "sum" in case else ""
    wrong = ' <span class="wrong">data was wrong</span>' if case["status"] == "Error" else ""
    return (f'<table class="matrix"><caption>{esc(name)}{total}{wrong}</caption>\n'
            f'<tr><th class="corner"></th>{head}</tr>\n{body}</table>\n')


def variants_of(runs, name):
    """(title, case) of a case: stock, patched with peer-to-peer off, on; or of a case to which that
    makes no difference stock, patched."""
    found = []
    for kernel, report in runs.items():
        for case in report["testcases"]:
            if case["name"] == name:
                variant = "stock" if kernel == "stock" else "on" if case["p2p"] else "off"
                title = kernel if case["p2p"] is None else NAMES[variant]
                found.append((list(NAMES).index(variant), title, case))
    return [(title, case) for _, title, case in sorted(found, key=lambda item: item[0])]


def no_case(report, name):
    """Why a report lacks a case: what it belongs to was waived."""
    reasons = [case["reason"] for case in report["testcases"]
               if case["status"] == "Waived" and name.startswith(case["name"])]
    return reasons[0] if reasons else "not measured"


def waived(title, reason):
    return f'<p class="waived">{esc(title)}:<br/>{esc(reason)}</p>\n'


def matrices(runs, counted):
    """All cases of the patched kernel, which has each that stock has."""
    seen = []
    for case in runs["patched"]["testcases"]:
        name, unit = case["name"], case.get("unit")
        if name in seen or unit is None or (unit in COUNTED) is not counted:
            continue
        seen.append(name)
        about = f"{case['bandwidth_description']}{f' ({unit})' if unit else ''}"
        yield f'<h3 id="{esc(name)}"><code>{esc(name)}</code></h3>\n<p class="note">{esc(about)}</p>\n'
        yield '<div class="matrices">\n'
        if not variants_of({"stock": runs["stock"]}, name):
            yield waived("stock", no_case(runs["stock"], name))
        for title, one in variants_of(runs, name):
            yield waived(title, one["reason"]) if one["status"] == "Waived" else matrix(title, one)
        yield "</div>\n"


# --- what was measured ---

def facts(bench):
    about = bench["about"]
    gpu = bench["patched"]["report"]["gpus"][0]
    yield "date", about["date"]
    yield "to repeat it", about["command"]
    for kernel in ("stock", "patched"):
        yield f"{kernel} kernel", bench[kernel]["version"]
    yield "series", f"{about['patches']} patches, commit {about['series']} of build/linux"
    yield "project", about["project"]
    yield "GPUs", (f"{about['gpus']} modelled GP100 ({gpu['chipset']}), each with "
                   f"{binary(gpu['available_vram_bytes'])} of VRAM to be had and a BAR1 of "
                   f"{binary(gpu['bar1_bytes'])}; topology {about['topology']}")
    yield "machine", f"{about['qemu']} on {about['host']}, both guests at once"
    yield "time in the guest", ", ".join(f"{kernel} {bench[kernel]['seconds']} s"
                                         for kernel in ("stock", "patched"))
    yield "memory", ("instructions and struct pages are those of make bench-mm" if "memory" in bench
                     else "left out: make bench without MM=0 has what device-private memory costs")


def pairs(bench):
    rows = "".join(
        f"<tr><td>GPU{pair['importer']}</td><td>GPU{pair['owner']}</td><td>{esc(pair['route'])}</td>"
        f"<td>{'yes' if pair['p2p'] else 'no'}</td><td>{esc(pair['p2p_reason'])}</td></tr>\n"
        for pair in bench["patched"]["report"]["pairs"])
    return ('<table class="pairs"><tr><th>GPU</th><th>uses VRAM of</th><th>route</th>'
            f"<th>maps it</th><th>how, or why not (patched kernel)</th></tr>\n{rows}</table>\n")


def verdict(bench):
    if bench["failures"]:
        return "".join(f'<p class="failed">FAILED: {esc(what)}</p>\n' for what in bench["failures"])
    text = "Patched: with peer-to-peer on, all that has to hold does, and every word was verified."
    if not bench["stock"]["report"]["verified"]:
        text += " Stock lost data on the way."
    return f'<p class="good">{text}</p>\n'


def render(bench):
    """The page, of what gpu-report writes as bench.json."""
    runs = {kernel: bench[kernel]["report"] for kernel in ("stock", "patched")}
    table = "".join(f"<tr><th>{esc(name)}</th><td>{esc(value)}</td></tr>\n"
                    for name, value in facts(bench))
    plots = [*gpu_plots(bench["figures"])]
    if "memory" in bench:
        plots += memory_plots(bench["figures"])
    return f"""<!DOCTYPE html>
<html lang="en" xmlns="http://www.w3.org/1999/xhtml">
<head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>
<title>nouveau SVM: stock and patched kernel</title>
<style>{STYLE}</style></head>
<body>
<h1>How GPUs use each other's memory: stock and patched kernel</h1>
{verdict(bench)}
<p>The GPUs are a software model, which has never been compared with a board. Bytes, faults, pages and
instructions are counted. Times are of an emulated machine: they say nothing about silicon.</p>
<h2>What was measured</h2>
<table class="facts">
{table}</table>
<p>Which way GPUs take to each other:</p>
{pairs(bench)}
<pre>{esc(bench["patched"]["lspci"])}</pre>
<h2>Plots</h2>
{"".join(plots)}
<h2>Matrices: what is counted</h2>
{"".join(matrices(runs, True))}
<h2>Matrices: time, on an emulated machine</h2>
<p class="note">These are here for their form, and to compare the columns with care: a modelled GPU is
a program that shares the host's CPUs with all else.</p>
{"".join(matrices(runs, False))}
</body>
</html>
"""
