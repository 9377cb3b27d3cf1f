"""Signs and codes drawn as vectors, one function per class, plus look-alikes that belong to no class.

A drawing function gets a cairo context whose unit square runs from -1 to 1 (x right, y down) and a
random generator; it draws and returns the outline of the thing as a polygon in those units. The
outline is what a label box encloses once it has been projected into a scene.
"""
import math

import cairo
import numpy as np

FONTS = ["DejaVu Sans", "DejaVu Sans Condensed", "Liberation Sans", "Liberation Sans Narrow", "DejaVu Serif"]
WORDS = ("OPEN SALE BUS TAXI CITY PARK ROAD EAST WEST NORD 24H INFO HOTEL CAFE BAR SHOP MAIN AUTO POST "
         "BANK EXIT TICKETS WARNING NOTICE KEEP CLEAR PRIVATE GATE ZONE ONLY SCHOOL METRO").split()


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


def tint(rng, rgb, spread=0.07):
    """The colour, printed by another maker: each channel moves a little."""
    return tuple(float(np.clip(c + rng.normal(0, spread), 0, 1)) for c in rgb)


def red(rng):
    return tint(rng, pick(rng, [(0.78, 0.06, 0.10), (0.70, 0.09, 0.12), (0.85, 0.12, 0.12), (0.64, 0.05, 0.15)]), 0.04)


def blue(rng):
    return tint(rng, pick(rng, [(0.02, 0.30, 0.63), (0.05, 0.24, 0.55), (0.08, 0.38, 0.72), (0.0, 0.2, 0.5)]), 0.04)


def green(rng):
    return tint(rng, pick(rng, [(0.0, 0.54, 0.33), (0.0, 0.45, 0.25), (0.05, 0.6, 0.3), (0.0, 0.62, 0.42)]), 0.04)


def white(rng):
    v = rng.uniform(0.84, 1.0)
    return tint(rng, (v, v, v), 0.02)


def yellow(rng):
    return tint(rng, pick(rng, [(0.98, 0.80, 0.05), (0.95, 0.72, 0.08), (1.0, 0.86, 0.2)]), 0.03)


def black(rng):
    v = rng.uniform(0.02, 0.16)
    return (v, v, v)


def path(ctx, points, closed=True):
    ctx.move_to(*points[0])
    for p in points[1:]:
        ctx.line_to(*p)
    if closed:
        ctx.close_path()


def fill(ctx, points, rgb):
    path(ctx, points)
    ctx.set_source_rgb(*rgb)
    ctx.fill()


def disc(ctx, x, y, r, rgb):
    ctx.arc(x, y, r, 0, 2 * math.pi)
    ctx.set_source_rgb(*rgb)
    ctx.fill()


def stroke(ctx, points, width, rgb, closed=False, cap=cairo.LINE_CAP_ROUND):
    path(ctx, points, closed)
    ctx.set_line_width(width)
    ctx.set_line_cap(cap)
    ctx.set_line_join(cairo.LINE_JOIN_ROUND)
    ctx.set_source_rgb(*rgb)
    ctx.stroke()


def ring(n=40, r=1.0, start=0.0):
    a = start + np.arange(n) * (2 * math.pi / n)
    return np.stack([np.cos(a), np.sin(a)], 1) * r


def box(w, h):
    return np.array([[-w, -h], [w, -h], [w, h], [-w, h]], float)


def rounded(ctx, w, h, r):
    r = max(1e-3, min(r, w, h))
    ctx.new_sub_path()
    ctx.arc(w - r, -h + r, r, -math.pi / 2, 0)
    ctx.arc(w - r, h - r, r, 0, math.pi / 2)
    ctx.arc(-w + r, h - r, r, math.pi / 2, math.pi)
    ctx.arc(-w + r, -h + r, r, math.pi, 1.5 * math.pi)
    ctx.close_path()


def round_corners(points, r, steps=5):
    """The polygon with each corner replaced by an arc of about radius r (a quadratic curve)."""
    out, n = [], len(points)
    for i in range(n):
        p, a, b = points[i], points[i - 1], points[(i + 1) % n]
        u, v = (a - p) / np.linalg.norm(a - p), (b - p) / np.linalg.norm(b - p)
        s, e = p + u * r, p + v * r
        for t in np.linspace(0, 1, steps):
            out.append((1 - t) ** 2 * s + 2 * t * (1 - t) * p + t * t * e)
    return np.array(out)


def text(ctx, rng, value, x, y, w, h, rgb, bold=True, font=None):
    """The text, centred at x, y, scaled to fit w by h."""
    ctx.select_font_face(font or pick(rng, FONTS), cairo.FONT_SLANT_NORMAL,
                         cairo.FONT_WEIGHT_BOLD if bold else cairo.FONT_WEIGHT_NORMAL)
    ctx.set_font_size(1.0)
    e = ctx.text_extents(value)
    if e.width <= 0 or e.height <= 0:
        return
    size = min(w / e.width, h / e.height)
    ctx.save()
    ctx.translate(x, y)
    stretch = min(1.35, w / (e.width * size))
    ctx.scale(size * stretch, size)
    ctx.move_to(-e.x_bearing - e.width / 2, -e.y_bearing - e.height / 2)
    ctx.set_source_rgb(*rgb)
    ctx.show_text(value)
    ctx.restore()


def walker(ctx, x, y, s, rgb, rng, run=False):
    """A walking or running figure, about 2 s tall, centred at x, y."""
    def q(*pts):
        return [(x + a * s, y + b * s) for a, b in pts]
    flip = -1 if rng.random() < 0.5 else 1
    lean = (0.28 if run else 0.08) * flip
    disc(ctx, x + lean * 1.15 * s, y - 0.80 * s, 0.19 * s, rgb)
    k = 1.35 if run else 1.0
    stroke(ctx, q((lean * 0.7, -0.45), (-lean * 0.5, 0.12)), 0.34 * s, rgb)
    stroke(ctx, q((-lean * 0.5, 0.15), (0.22 * flip * k, 0.48), (0.26 * flip * k + 0.1 * flip, 0.95)), 0.19 * s, rgb)
    stroke(ctx, q((-lean * 0.5, 0.15), (-0.16 * flip * k, 0.52), (-0.42 * flip * k, 0.88 - 0.18 * run)), 0.19 * s, rgb)
    stroke(ctx, q((lean * 0.7, -0.48), (0.36 * flip * k, -0.20), (0.50 * flip * k, -0.30 * k)), 0.14 * s, rgb)
    stroke(ctx, q((lean * 0.7, -0.48), (-0.28 * flip * k, -0.28), (-0.40 * flip * k, 0.05)), 0.14 * s, rgb)


def arrow(ctx, tail, head, width, rgb, size=2.6):
    t, h = np.array(tail, float), np.array(head, float)
    d = (h - t) / max(1e-6, np.linalg.norm(h - t))
    n = np.array([-d[1], d[0]])
    base = h - d * width * size * 0.8
    stroke(ctx, [t, base], width, rgb, cap=cairo.LINE_CAP_BUTT)
    fill(ctx, [h, base + n * width * size / 2, base - n * width * size / 2], rgb)


# ---------------------------------------------------------------- classes

def stop(ctx, rng):
    shape, ink, field = ring(8, 1.0, math.pi / 8), white(rng), red(rng)
    fill(ctx, shape, ink if rng.random() < 0.85 else field)
    fill(ctx, shape * rng.uniform(0.91, 0.965), field)
    word = "STOP" if rng.random() < 0.88 else pick(rng, ["ALTO", "PARE", "ARRET", "DUR"])
    text(ctx, rng, word, 0, rng.normal(0, 0.015), rng.uniform(1.35, 1.62), rng.uniform(0.5, 0.72), ink)
    return shape


def triangle(up, wide=1.0):
    pts = np.array([[0, -1], [1, 0.75], [-1, 0.75]], float) * [wide, 1]
    return pts if up else pts * [1, -1]


def yield_(ctx, rng):
    outer = round_corners(triangle(False), rng.uniform(0.08, 0.26))
    field, ink = red(rng), white(rng)
    centre = np.array([0, -0.14])
    if rng.random() < 0.35:
        fill(ctx, outer, ink)
        fill(ctx, (outer - centre) * 0.93 + centre, field)
    else:
        fill(ctx, outer, field)
    inner = (round_corners(triangle(False), 0.10) - centre) * rng.uniform(0.46, 0.70) + centre
    fill(ctx, inner, yellow(rng) if rng.random() < 0.08 else ink)
    if rng.random() < 0.25:
        text(ctx, rng, pick(rng, ["YIELD", "CEDA", "GIVE WAY"]), 0, -0.36, 0.66, 0.17, field)
    return outer


def no_entry(ctx, rng):
    shape, ink, field = ring(), white(rng), red(rng)
    disc(ctx, 0, 0, 1, ink if rng.random() < 0.6 else field)
    disc(ctx, 0, 0, rng.uniform(0.92, 0.97), field)
    w, h = rng.uniform(0.62, 0.80), rng.uniform(0.13, 0.21)
    rounded(ctx, w, h, rng.choice([0.0, 0.04]))
    ctx.set_source_rgb(*ink)
    ctx.fill()
    if rng.random() < 0.12:
        text(ctx, rng, "DO NOT", 0, -0.48, 0.9, 0.26, ink)
        text(ctx, rng, "ENTER", 0, 0.48, 0.8, 0.26, ink)
    return shape


def speed_limit(ctx, rng):
    field, number = red(rng), str(pick(rng, [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 15, 25]))
    lit = rng.random() < 0.08
    ground = black(rng) if lit else (yellow(rng) if rng.random() < 0.08 else white(rng))
    disc(ctx, 0, 0, 1, ground if rng.random() < 0.3 else field)
    disc(ctx, 0, 0, 0.965, field)
    inner = rng.uniform(0.70, 0.84)
    disc(ctx, 0, 0, inner, ground)
    text(ctx, rng, number, 0, 0, inner * rng.uniform(1.25, 1.5), inner * rng.uniform(0.72, 0.98),
         white(rng) if lit else black(rng), font=pick(rng, FONTS[:4]))
    return ring()


def pictogram(ctx, rng, rgb):
    kind = int(rng.integers(12))
    if kind == 0:
        fill(ctx, [(-0.11, -0.42), (0.11, -0.42), (0.06, 0.22), (-0.06, 0.22)], rgb)
        disc(ctx, 0, 0.42, 0.10, rgb)
    elif kind == 1:
        s = pick(rng, [-1, 1])
        stroke(ctx, [(-0.2 * s, 0.5), (-0.2 * s, 0.2), (0.12 * s, 0.0), (0.1 * s, -0.1)], 0.15, rgb)
        fill(ctx, [(0.1 * s, -0.42), (0.26 * s, -0.05), (-0.10 * s, -0.12)], rgb)
    elif kind == 2:
        fill(ctx, [(0.10, -0.45), (-0.22, 0.10), (-0.02, 0.08), (-0.12, 0.52), (0.25, -0.08), (0.04, -0.06)], rgb)
    elif kind == 3:
        walker(ctx, -0.16, 0.12, 0.40, rgb, rng, True)
        walker(ctx, 0.22, 0.20, 0.32, rgb, rng, True)
    elif kind == 4:
        walker(ctx, 0, 0.08, 0.48, rgb, rng)
    elif kind == 5:
        stroke(ctx, [(-0.30, 0.05), (0.25, 0.0)], 0.22, rgb)
        for x in (-0.28, -0.18, 0.18, 0.28):
            stroke(ctx, [(x, 0.1), (x + rng.uniform(-0.08, 0.08), 0.48)], 0.07, rgb)
        stroke(ctx, [(0.25, -0.02), (0.36, -0.25)], 0.11, rgb)
    elif kind == 6:
        rounded(ctx, 0.14, 0.42, 0.1)
        ctx.set_source_rgb(*rgb)
        ctx.fill()
        for y, c in ((-0.26, (0.85, 0.1, 0.1)), (0.0, (0.95, 0.75, 0.1)), (0.26, (0.1, 0.65, 0.2))):
            disc(ctx, 0, y, 0.10, c)
    elif kind == 7:
        stroke(ctx, [(-0.26, -0.16), (0.26, 0.46)], 0.13, rgb)
        stroke(ctx, [(0.26, -0.16), (-0.26, 0.46)], 0.13, rgb)
    elif kind == 8:
        stroke(ctx, [(-0.12, 0.5), (-0.12, -0.3)], 0.12, rgb, cap=cairo.LINE_CAP_BUTT)
        stroke(ctx, [(0.12, 0.5), (0.30 * pick(rng, [0.4, 1]), -0.3)], 0.12, rgb, cap=cairo.LINE_CAP_BUTT)
    elif kind == 9:
        fill(ctx, [(-0.45, 0.45), (0.40, 0.45), (0.40, -0.05)], rgb)
        rounded(ctx, 0.01, 0.01, 0.01)
        ctx.fill()
    elif kind == 10:
        stroke(ctx, [(-0.25, 0.22), (0.25, 0.12)], 0.28, rgb)
        for x in (-0.2, 0.2):
            stroke(ctx, [(x, 0.35), (x - 0.1, 0.5), (x, 0.58)], 0.06, rgb)
        disc(ctx, 0, -0.08, 0.16, rgb)
    else:
        for i in range(3):
            a = -math.pi / 2 + i * 2 * math.pi / 3
            ctx.move_to(0, 0.10)
            ctx.arc(0, 0.10, 0.42, a - 0.5, a + 0.5)
            ctx.close_path()
        ctx.set_source_rgb(*rgb)
        ctx.fill()
        disc(ctx, 0, 0.10, 0.10, rgb)


def warning(ctx, rng):
    outer, centre = round_corners(triangle(True), rng.uniform(0.08, 0.26)), np.array([0, 0.14])
    ink = black(rng)
    if rng.random() < 0.28:
        border, ground = ink, yellow(rng)
        if rng.random() < 0.5:
            fill(ctx, outer, ground)
            fill(ctx, (outer - centre) * 0.94 + centre, border)
        else:
            fill(ctx, outer, border)
        k = rng.uniform(0.74, 0.86)
    else:
        border, ground = red(rng), (yellow(rng) if rng.random() < 0.12 else white(rng))
        fill(ctx, outer, white(rng) if rng.random() < 0.3 else border)
        fill(ctx, (outer - centre) * 0.95 + centre, border)
        k = rng.uniform(0.62, 0.76)
    fill(ctx, (round_corners(triangle(True), 0.10) - centre) * k + centre, ground)
    ctx.save()
    ctx.translate(0, 0.17)
    ctx.scale(k * 1.0, k * 1.0)
    pictogram(ctx, rng, ink)
    ctx.restore()
    return outer


def direction(ctx, rng):
    ink = white(rng)
    disc(ctx, 0, 0, 1, ink)
    disc(ctx, 0, 0, rng.uniform(0.92, 0.99), blue(rng))
    w, kind = rng.uniform(0.19, 0.28), int(rng.integers(6))
    if kind <= 1:
        ctx.save()
        ctx.rotate(pick(rng, [0, 90, 180, 270, 45, 135, 225, 315]) * math.pi / 180)
        arrow(ctx, (-0.62, 0), (0.72, 0), w, ink)
        ctx.restore()
    elif kind == 2:
        s = pick(rng, [-1, 1])
        stroke(ctx, [(-0.25 * s, 0.65), (-0.25 * s, -0.12), (0.12 * s, -0.12)], w, ink, cap=cairo.LINE_CAP_BUTT)
        arrow(ctx, (0.0, -0.12), (0.68 * s, -0.12), w, ink)
    elif kind == 3:
        s = pick(rng, [-1, 1])
        arrow(ctx, (-0.12 * s, 0.7), (-0.12 * s, -0.74), w * 0.9, ink)
        arrow(ctx, (-0.12 * s, 0.18), (0.66 * s, 0.18), w * 0.9, ink)
    elif kind == 4:
        for i in range(3):
            a = i * 2 * math.pi / 3 + 0.3
            ctx.set_line_width(w * 0.85)
            ctx.set_source_rgb(*ink)
            ctx.set_line_cap(cairo.LINE_CAP_BUTT)
            ctx.arc(0, 0, 0.52, a, a + 1.35)
            ctx.stroke()
            b = a + 1.35
            c, t = np.array([math.cos(b), math.sin(b)]), np.array([-math.sin(b), math.cos(b)])
            fill(ctx, [c * 0.52 + t * 0.40, c * 0.28, c * 0.76], ink)
    else:
        arrow(ctx, (0, 0.1), (-0.72, 0.1), w * 0.9, ink)
        arrow(ctx, (0, 0.1), (0.72, 0.1), w * 0.9, ink)
        stroke(ctx, [(0, 0.1), (0, 0.7)], w * 0.9, ink, cap=cairo.LINE_CAP_BUTT)
    return ring()


def plate(ctx, rng, w, h, field, ink, rim=None):
    """A rectangular plate with a rim; leaves the field painted."""
    r = rng.uniform(0, 0.16)
    rounded(ctx, w, h, r)
    style = rng.random()
    ctx.set_source_rgb(*(ink if style < 0.5 else field))
    ctx.fill()
    k = rng.uniform(0.02, 0.06) if rim is None else rim
    rounded(ctx, w - k, h - k, max(0.0, r - k))
    ctx.set_source_rgb(*field)
    ctx.fill()
    if style > 0.8:
        rounded(ctx, w - 2 * k, h - 2 * k, max(0.0, r - 2 * k))
        ctx.set_source_rgb(*ink)
        ctx.set_line_width(k * 0.8)
        ctx.stroke()
    return box(w, h)


def crossing(ctx, rng):
    w, h = 1.0, (rng.uniform(1.1, 1.3) if rng.random() < 0.15 else 1.0)
    m = max(w, h)
    w, h = w / m, h / m
    shape = plate(ctx, rng, w, h, blue(rng), white(rng))
    ink, k = white(rng), rng.uniform(0.70, 0.86) * w
    tri = round_corners(np.array([[0, -1.0], [1.0, 0.78], [-1.0, 0.78]]) * k, 0.04)
    fill(ctx, tri, ink)
    dark, s = black(rng), 0.50 * k / 0.8
    flip = pick(rng, [-1, 1])
    for i in range(int(rng.integers(4, 6))):
        x = (-0.60 + i * 0.28) * k
        fill(ctx, [(x, 0.72 * k), (x + 0.16 * k, 0.72 * k), (x + 0.16 * k + 0.06 * flip, 0.46 * k), (x + 0.03 + 0.06 * flip, 0.46 * k)], dark)
    walker(ctx, 0.02, 0.08 * k, s, dark, rng)
    return shape


def parking(ctx, rng):
    w, h = 1.0, 1.0
    extra = rng.random() < 0.22
    if extra:
        w = rng.uniform(0.68, 0.85)
    elif rng.random() < 0.2:
        w = rng.uniform(0.72, 0.95)
    ink, field = white(rng), blue(rng)
    shape = plate(ctx, rng, w, h, field, ink)
    y, size = rng.normal(0, 0.02), rng.uniform(1.05, 1.5)
    if extra:
        y, size = -0.28, rng.uniform(0.85, 1.0)
        if rng.random() < 0.5:
            text(ctx, rng, pick(rng, ["2h", "8-18", "24h", "CENTER", "FREE", "P+R", "100 m"]), 0, 0.62, w * 1.3, 0.32, ink)
        else:
            s = pick(rng, [-1, 1])
            arrow(ctx, (-0.5 * w * s, 0.62), (0.6 * w * s, 0.62), 0.13, ink)
    text(ctx, rng, "P", 0, y, size * 0.72 * w, size, ink, font=pick(rng, FONTS[:4]))
    return shape


LAMPS = [(1.0, 0.13, 0.10), (1.0, 0.70, 0.10), (0.12, 0.95, 0.55)]


def traffic_light(ctx, rng):
    n = 3 if rng.random() < 0.78 else 2
    lying = n == 3 and rng.random() < 0.10
    body = pick(rng, [black(rng), black(rng), black(rng), tint(rng, (0.06, 0.17, 0.12), 0.02),
                      tint(rng, (0.78, 0.6, 0.06), 0.03), tint(rng, (0.3, 0.31, 0.32), 0.04)])
    h = 1.0
    r = h / (n * rng.uniform(1.12, 1.30))
    w = r * rng.uniform(1.15, 1.55)
    board = rng.random() < 0.3
    ow, oh = w, h
    ctx.save()
    if lying:
        ctx.rotate(-math.pi / 2)
    if board:
        w, h, r = w * 0.72, h * 0.84, r * 0.84
        ow = w * rng.uniform(1.25, 1.6)
        rounded(ctx, ow, oh, rng.uniform(0.02, 0.2))
        ctx.set_source_rgb(*black(rng))
        ctx.fill_preserve()
        if rng.random() < 0.5:
            ctx.clip()
            rounded(ctx, ow, oh, 0.15)
            ctx.set_source_rgb(*pick(rng, [white(rng), yellow(rng)]))
            ctx.set_line_width(0.09)
            ctx.stroke()
            ctx.reset_clip()
        ctx.new_path()
    rounded(ctx, w, h, rng.uniform(0.02, 0.28))
    ctx.set_source_rgb(*body)
    ctx.fill()
    r = min(r * rng.uniform(0.72, 0.9), w * 0.88)
    colours = LAMPS if n == 3 else [LAMPS[0], LAMPS[2]]
    lit = {int(rng.integers(n))} if rng.random() < 0.92 else set()
    if n == 3 and lit == {0} and rng.random() < 0.2:
        lit = {0, 1}
    man = n == 2 and rng.random() < 0.7
    step = 2 * h / n
    for i in range(n):
        y = -h + step * (i + 0.5)
        on = i in lit
        c = tint(rng, colours[i], 0.05)
        disc(ctx, 0, y, r * 1.08, tuple(v * 0.55 for v in body))
        off = tuple(v * rng.uniform(0.10, 0.34) + 0.03 for v in c)
        if man and not lying:
            disc(ctx, 0, y, r, black(rng))
            walker(ctx, 0, y, r * 0.85, c if on else off, rng)
        else:
            disc(ctx, 0, y, r, c if on else off)
            if on:
                disc(ctx, 0, y, r * 0.6, tuple(v * 0.4 + 0.6 for v in c) if rng.random() < 0.5 else c)
                if rng.random() < 0.15:
                    d = pick(rng, [(-1, 0), (1, 0), (0, -1)])
                    disc(ctx, 0, y, r, black(rng))
                    arrow(ctx, (-d[0] * r * 0.6, y - d[1] * r * 0.6), (d[0] * r * 0.8, y + d[1] * r * 0.8), r * 0.3, c)
        if rng.random() < 0.7 and not lying:
            ctx.set_line_width(r * 0.22)
            ctx.set_source_rgb(*tuple(v * 0.7 for v in body))
            ctx.arc(0, y, r * 1.08, math.pi * 1.05, math.pi * 1.95)
            ctx.stroke()
    ctx.restore()
    return box(oh, ow) if lying else box(ow, oh)


def emergency_exit(ctx, rng):
    ratio = pick(rng, [1.0, 1.5, 2.0, 2.0, 2.2, 1.0])
    w, h = 1.0, 1.0 / ratio
    ink = white(rng)
    shape = plate(ctx, rng, w, h, green(rng), ink, rim=0.03)
    side = pick(rng, [-1, 1])
    cx = 0.0 if ratio == 1.0 else 0.45 * side * (1 if rng.random() < 0.6 else -1)
    arrowed = ratio > 1.0
    dx = cx + 0.24 * h * side
    fill(ctx, [(dx - 0.30 * h, -0.78 * h), (dx + 0.42 * h, -0.78 * h), (dx + 0.42 * h, 0.82 * h), (dx - 0.30 * h, 0.82 * h)], ink)
    man = green(rng)
    fill(ctx, [(dx - 0.18 * h, -0.66 * h), (dx + 0.30 * h, -0.66 * h), (dx + 0.30 * h, 0.82 * h), (dx - 0.18 * h, 0.82 * h)], man)
    walker(ctx, cx - 0.10 * h * side, 0.06 * h, 0.74 * h, ink, rng, True)
    if arrowed:
        ax, d = -cx * 1.05, pick(rng, [(-1, 0), (1, 0), (0, 1), (0, -1)])
        if rng.random() < 0.2:
            text(ctx, rng, pick(rng, ["EXIT", "SORTIE", "SALIDA"]), ax, 0, 0.75, 0.5 * h, ink)
        else:
            k = 0.55 * h
            arrow(ctx, (ax - d[0] * k, -d[1] * k), (ax + d[0] * k, d[1] * k), 0.22 * h, ink)
    return shape


def qr_matrix(rng, version):
    """A QR symbol with its finders, timing, alignment patterns and random data; 1 is dark."""
    n = 17 + 4 * version
    m = (rng.random((n, n)) < 0.5).astype(np.uint8)
    centres = {1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42]}[version]
    for a in centres:
        for b in centres:
            m[a - 2:a + 3, b - 2:b + 3] = 1
            m[a - 1:a + 2, b - 1:b + 2] = 0
            m[a, b] = 1
    m[6, :], m[:, 6] = np.arange(n) % 2 == 0, np.arange(n) % 2 == 0
    finder = np.ones((7, 7), np.uint8)
    finder[1:6, 1:6] = 0
    finder[2:5, 2:5] = 1
    m[:8, :8], m[:8, -8:], m[-8:, :8] = 0, 0, 0
    m[:7, :7], m[:7, -7:], m[-7:, :7] = finder, finder, finder
    m[n - 8, 8] = 1
    return m


def grid(ctx, m, rgb, x0, y0, w, h):
    """The dark cells of a matrix, joined along rows so that no seams show."""
    rows, cols = m.shape
    cw, ch = w / cols, h / rows
    for y in range(rows):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], m[y], [0]])))
        for a, b in zip(edges[::2], edges[1::2]):
            ctx.rectangle(x0 + a * cw, y0 + y * ch, (b - a) * cw, ch * 1.02)
    ctx.set_source_rgb(*rgb)
    ctx.fill()


def qr_code(ctx, rng):
    version = int(pick(rng, [1, 1, 2, 2, 3, 3, 4, 5, 6, 7]))
    m = qr_matrix(rng, version)
    quiet = rng.uniform(2.0, 5.0) / m.shape[0]
    k = 1.0 / (1.0 + 2 * quiet)
    ground = white(rng) if rng.random() < 0.85 else tint(rng, (0.85, 0.8, 0.7), 0.1)
    rounded(ctx, 1, 1, rng.uniform(0, 0.12))
    ctx.set_source_rgb(*ground)
    ctx.fill()
    dark = black(rng) if rng.random() < 0.8 else tint(rng, pick(rng, [(0.1, 0.1, 0.4), (0.35, 0.05, 0.1), (0.05, 0.25, 0.15)]), 0.03)
    grid(ctx, m, dark, -k, -k, 2 * k, 2 * k)
    if rng.random() < 0.12:
        s = 0.2 * k
        rounded(ctx, s, s, rng.uniform(0, s))
        ctx.set_source_rgb(*ground)
        ctx.fill()
        disc(ctx, 0, 0, s * 0.7, tint(rng, (0.5, 0.4, 0.5), 0.3))
    return box(k, k)


EAN_L = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"]
EAN_PARITY = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"]


def ean13(rng):
    d = [int(v) for v in rng.integers(0, 10, 12)]
    d.append((10 - (sum(d[0::2]) + 3 * sum(d[1::2])) % 10) % 10)
    flip = str.maketrans("01", "10")
    left = "".join(EAN_L[v] if p == "L" else EAN_L[v].translate(flip)[::-1] for v, p in zip(d[1:7], EAN_PARITY[d[0]]))
    right = "".join(EAN_L[v].translate(flip) for v in d[7:])
    return "101" + left + "01010" + right + "101", "".join(map(str, d))


def widths_11(rng):
    """A Code 128 symbol character: three bars and three spaces, 11 modules, bars an even sum."""
    while True:
        cuts = np.sort(rng.choice(np.arange(1, 11), 5, replace=False))
        w = np.diff(np.concatenate([[0], cuts, [11]]))
        if w.max() <= 4 and w[0::2].sum() % 2 == 0:
            return w


def code128(rng):
    chars = [np.array([2, 1, 1, 2, 1, 4])] + [widths_11(rng) for _ in range(int(rng.integers(5, 12)))]
    chars.append(np.array([2, 3, 3, 1, 1, 1, 2]))
    bits, dark = "", True
    for w in np.concatenate(chars):
        bits += ("1" if dark else "0") * int(w)
        dark = not dark
    return bits, "".join(pick(rng, list("ABCDEFGHJK0123456789")) for _ in range(len(chars) - 2))


def barcode(ctx, rng):
    bits, digits = ean13(rng) if rng.random() < 0.6 else code128(rng)
    m = np.array([[int(b) for b in bits]], np.uint8)
    ratio = rng.uniform(1.35, 2.6)
    quiet, under = rng.uniform(0.06, 0.16), (rng.uniform(0.12, 0.24) if rng.random() < 0.8 else 0.03)
    w = 1.0 - quiet
    h = w / ratio
    top, bottom = rng.uniform(0.03, 0.12), under
    ctx.rectangle(-1, -h - top, 2, 2 * h + top + bottom)
    ctx.set_source_rgb(*(white(rng) if rng.random() < 0.9 else tint(rng, (0.85, 0.75, 0.55), 0.08)))
    ctx.fill()
    dark = black(rng)
    grid(ctx, m, dark, -w, -h, 2 * w, 2 * h / 1.02)
    if under > 0.1:
        text(ctx, rng, digits, 0, h + under * 0.52, w * 1.8, under * 0.62, dark, bold=False)
    return box(w, h)


CLASSES = [("stop", stop), ("yield", yield_), ("no entry", no_entry), ("speed limit", speed_limit),
           ("warning", warning), ("direction", direction), ("crossing", crossing), ("parking", parking),
           ("traffic light", traffic_light), ("emergency exit", emergency_exit), ("QR code", qr_code),
           ("barcode", barcode)]
NAMES = [n for n, _ in CLASSES]


# ---------------------------------------------------------------- look-alikes

def any_colour(rng):
    return tuple(float(v) for v in rng.random(3))


def d_text_plate(ctx, rng):
    h = rng.uniform(0.25, 0.9)
    ground = pick(rng, [blue(rng), green(rng), white(rng), yellow(rng), red(rng), any_colour(rng), black(rng)])
    ink = white(rng) if sum(ground) < 1.6 else black(rng)
    shape = plate(ctx, rng, 1, h, ground, ink)
    lines = int(rng.integers(1, 4))
    for i in range(lines):
        y = -h + 2 * h * (i + 0.5) / lines
        text(ctx, rng, pick(rng, WORDS), 0, y, rng.uniform(0.8, 1.7), 1.2 * h / lines, ink)
    return shape


def d_red_disc(ctx, rng):
    disc(ctx, 0, 0, 1, red(rng))
    if rng.random() < 0.5:
        text(ctx, rng, pick(rng, list("ABCEKMQRSX%&@") + WORDS), 0, 0, 1.3, 0.8, white(rng))
    return ring()


def d_ban(ctx, rng):
    """A red ring without a number: empty, struck through, or with a pictogram."""
    disc(ctx, 0, 0, 1, red(rng))
    disc(ctx, 0, 0, rng.uniform(0.70, 0.82), blue(rng) if rng.random() < 0.3 else white(rng))
    kind = int(rng.integers(4))
    if kind == 0:
        walker(ctx, 0, 0, 0.55, black(rng), rng)
    elif kind == 1:
        rounded(ctx, 0.45, 0.18, 0.08)
        ctx.set_source_rgb(*black(rng))
        ctx.fill()
        disc(ctx, -0.28, 0.24, 0.12, black(rng))
        disc(ctx, 0.28, 0.24, 0.12, black(rng))
    if kind >= 2 or rng.random() < 0.4:
        c = red(rng)
        stroke(ctx, [(-0.6, -0.6), (0.6, 0.6)], 0.16, c)
        if rng.random() < 0.3:
            stroke(ctx, [(0.6, -0.6), (-0.6, 0.6)], 0.16, c)
    return ring()


def d_blue_disc(ctx, rng):
    disc(ctx, 0, 0, 1, white(rng))
    disc(ctx, 0, 0, 0.95, blue(rng))
    kind = int(rng.integers(3))
    if kind == 0:
        walker(ctx, 0, 0, 0.62, white(rng), rng)
    elif kind == 1:
        text(ctx, rng, pick(rng, ["30", "40", "50", "60", "H", "M", "i"]), 0, 0, 1.1, 0.8, white(rng))
    return ring()


def d_blue_plate(ctx, rng):
    ink = white(rng)
    shape = plate(ctx, rng, 1, rng.uniform(0.8, 1), blue(rng), ink)
    kind = int(rng.integers(5))
    if kind == 0:
        text(ctx, rng, pick(rng, list("HMiSAEUB?W")), 0, 0, 1.0, 1.1, ink)
    elif kind == 1:
        arrow(ctx, (0, 0.6), (0, -0.65), 0.25, ink)
    elif kind == 2:
        fill(ctx, [(-0.7, 0.1), (-0.5, 0.1), (-0.5, -0.2), (0.7, 0.1), (0.7, 0.4), (-0.7, 0.4)], ink)
    elif kind == 3:
        stroke(ctx, [(0, 0.6), (0, -0.3)], 0.2, ink)
        stroke(ctx, [(-0.4, -0.4), (0.4, -0.4)], 0.22, red(rng))
    return shape


def d_green_plate(ctx, rng):
    ink, h = white(rng), pick(rng, [1.0, 0.6, 0.5])
    shape = plate(ctx, rng, 1, h, green(rng), ink)
    kind = int(rng.integers(4))
    if kind == 0:
        stroke(ctx, [(-0.5 * h, 0), (0.5 * h, 0)], 0.3 * h, ink, cap=cairo.LINE_CAP_BUTT)
        stroke(ctx, [(0, -0.5 * h), (0, 0.5 * h)], 0.3 * h, ink, cap=cairo.LINE_CAP_BUTT)
    elif kind == 1:
        text(ctx, rng, pick(rng, WORDS), 0, 0, 1.6, h, ink)
    elif kind == 2:
        for d in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            arrow(ctx, (d[0] * 0.8 * h, d[1] * 0.8 * h), (d[0] * 0.25 * h, d[1] * 0.25 * h), 0.14 * h, ink)
        disc(ctx, 0, 0, 0.16 * h, ink)
    return shape


def d_octagon(ctx, rng):
    shape = ring(8, 1.0, math.pi / 8)
    c = pick(rng, [red(rng), any_colour(rng), white(rng)])
    fill(ctx, shape, white(rng))
    fill(ctx, shape * 0.93, c)
    return shape


def d_triangle(ctx, rng):
    up = rng.random() < 0.5
    outer = round_corners(triangle(up), rng.uniform(0.05, 0.3))
    fill(ctx, outer, pick(rng, [red(rng), any_colour(rng), yellow(rng), blue(rng), white(rng)]))
    return outer


def d_diamond(ctx, rng):
    shape = ring(4)
    fill(ctx, shape, pick(rng, [white(rng), black(rng)]))
    fill(ctx, shape * 0.9, pick(rng, [yellow(rng), yellow(rng), any_colour(rng)]))
    if rng.random() < 0.5:
        text(ctx, rng, pick(rng, WORDS), 0, 0, 1.1, 0.4, black(rng))
    return shape


def d_checker(ctx, rng):
    n = int(rng.integers(4, 12))
    plate(ctx, rng, 1, 1, white(rng), white(rng))
    y, x = np.mgrid[0:n, 0:n]
    grid(ctx, ((x + y) % 2).astype(np.uint8), any_colour(rng) if rng.random() < 0.4 else black(rng), -0.95, -0.95, 1.9, 1.9)
    return box(1, 1)


def d_crossword(ctx, rng):
    n = int(rng.integers(6, 14))
    plate(ctx, rng, 1, 1, white(rng), white(rng))
    ink = black(rng)
    grid(ctx, (rng.random((n, n)) < rng.uniform(0.1, 0.35)).astype(np.uint8), ink, -0.95, -0.95, 1.9, 1.9)
    for i in range(n + 1):
        t = -0.95 + 1.9 * i / n
        stroke(ctx, [(t, -0.95), (t, 0.95)], 0.02, ink)
        stroke(ctx, [(-0.95, t), (0.95, t)], 0.02, ink)
    return box(1, 1)


def d_dots(ctx, rng):
    """Random cells without finder patterns: mosaics, dithering, pixel art."""
    n, h = int(rng.integers(8, 26)), rng.uniform(0.6, 1)
    rows = max(2, int(n * h))
    plate(ctx, rng, 1, rows / n, white(rng), white(rng))
    c = black(rng) if rng.random() < 0.5 else any_colour(rng)
    grid(ctx, (rng.random((rows, n)) < rng.uniform(0.3, 0.6)).astype(np.uint8), c, -0.95, -0.95 * rows / n, 1.9, 1.9 * rows / n)
    return box(1, rows / n)


def d_fence(ctx, rng):
    """Even stripes: fences, grilles, radiators, vents, piano keys."""
    h, n = rng.uniform(0.4, 1.0), int(rng.integers(5, 22))
    rounded(ctx, 1, h, 0.02)
    ctx.set_source_rgb(*any_colour(rng))
    ctx.fill()
    c, duty = any_colour(rng), rng.uniform(0.3, 0.7)
    for i in range(n):
        x = -1 + 2 * i / n
        ctx.rectangle(x, -h, 2 * duty / n, 2 * h)
    ctx.set_source_rgb(*c)
    ctx.fill()
    return box(1, h)


def d_text_block(ctx, rng):
    """Lines of small print: rows of dark blocks of many lengths."""
    h, rows, ink = rng.uniform(0.5, 1.0), int(rng.integers(5, 16)), black(rng)
    plate(ctx, rng, 1, h, white(rng), white(rng))
    step = 1.8 * h / rows
    for i in range(rows):
        x, y = -0.9, -0.9 * h + i * step
        end = rng.uniform(0.4, 0.9)
        while x < end:
            w = rng.uniform(0.03, 0.22)
            ctx.rectangle(x, y, min(w, end - x), step * 0.5)
            x += w + 0.04
    ctx.set_source_rgb(*ink)
    ctx.fill()
    return box(1, h)


def d_clock(ctx, rng):
    disc(ctx, 0, 0, 1, pick(rng, [black(rng), red(rng), any_colour(rng), blue(rng)]))
    disc(ctx, 0, 0, rng.uniform(0.8, 0.93), white(rng))
    ink = black(rng)
    for i in range(12):
        a = i * math.pi / 6
        stroke(ctx, [(0.66 * math.cos(a), 0.66 * math.sin(a)), (0.76 * math.cos(a), 0.76 * math.sin(a))], 0.06, ink)
    for r, w in ((0.4, 0.1), (0.62, 0.06)):
        a = rng.uniform(0, 2 * math.pi)
        stroke(ctx, [(0, 0), (r * math.cos(a), r * math.sin(a))], w, ink)
    return ring()


def d_lamp(ctx, rng):
    """Coloured lamps without a housing: tail lights, beacons, neon."""
    c = pick(rng, LAMPS)
    g = cairo.RadialGradient(0, 0, 0.1, 0, 0, 1)
    g.add_color_stop_rgba(0, *(v * 0.5 + 0.5 for v in c), 1)
    g.add_color_stop_rgba(rng.uniform(0.3, 0.7), *c, 0.9)
    g.add_color_stop_rgba(1, *c, 0)
    ctx.set_source(g)
    ctx.paint()
    return ring()


def d_dark_box(ctx, rng):
    """Speakers, sockets, door frames: dark boxes with unlit or no circles."""
    h = rng.uniform(0.5, 1)
    w = rng.uniform(0.35, 0.9)
    rounded(ctx, w, h, rng.uniform(0, 0.2))
    ctx.set_source_rgb(*black(rng))
    ctx.fill()
    if rng.random() < 0.6:
        disc(ctx, 0, 0.25 * h, 0.4 * min(w, h), tint(rng, (0.25, 0.25, 0.25), 0.05))
    return box(w, h)


def d_windows(ctx, rng):
    h = rng.uniform(0.5, 1)
    fill(ctx, box(1, h), any_colour(rng))
    c, n, m = any_colour(rng), int(rng.integers(2, 7)), int(rng.integers(2, 6))
    for i in range(n):
        for j in range(m):
            ctx.rectangle(-0.95 + 1.9 * i / n, -0.95 * h + 1.9 * h * j / m, 1.5 / n, 1.5 * h / m)
    ctx.set_source_rgb(*c)
    ctx.fill()
    return box(1, h)


def d_logo(ctx, rng):
    for _ in range(int(rng.integers(2, 5))):
        c, k = any_colour(rng), int(rng.integers(4))
        x, y, r = rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), rng.uniform(0.2, 0.6)
        if k == 0:
            disc(ctx, x, y, r, c)
        elif k == 1:
            fill(ctx, ring(int(rng.integers(3, 7)), r, rng.uniform(0, 3)) + [x, y], c)
        elif k == 2:
            stroke(ctx, ring(24, r) + [x, y], 0.15, c, closed=True)
        else:
            text(ctx, rng, pick(rng, WORDS), x, y, 1.2, 0.4, c)
    return ring()


def d_number(ctx, rng):
    """House numbers, jersey numbers: a number that has no red ring."""
    w = rng.uniform(0.6, 1)
    if rng.random() < 0.5:
        plate(ctx, rng, 1, w, pick(rng, [white(rng), blue(rng), any_colour(rng)]), white(rng))
    else:
        disc(ctx, 0, 0, 1, pick(rng, [white(rng), any_colour(rng), yellow(rng)]))
    text(ctx, rng, str(int(rng.integers(1, 150))), 0, 0, 1.2, 0.9 * w, black(rng))
    return box(1, 1)


DISTRACTORS = [d_text_plate, d_text_plate, d_red_disc, d_ban, d_ban, d_blue_disc, d_blue_plate, d_green_plate, d_octagon,
               d_triangle, d_diamond, d_checker, d_crossword, d_dots, d_fence, d_text_block, d_clock, d_lamp,
               d_dark_box, d_windows, d_logo, d_number]
