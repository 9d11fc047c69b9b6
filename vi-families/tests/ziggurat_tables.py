"""Prints `src/draw/tables.rs`: the layers of the ziggurats of the normal and the exponential distribution.

Doornik (2005), "An Improved Ziggurat Method to Generate Normal Random Samples", section 2, with 256 layers, in
double precision:  python ziggurat_tables.py > ../src/draw/tables.rs
"""

from math import exp, log, sqrt

LAYERS = 256


def table(density, inverse, area, edge):
    """x_0 = area / f(edge), x_1 = edge, x_{i+1} = f⁻¹(area / x_i + f(x_i)), x_256 = 0, and f at each."""
    x = [area / density(edge), edge]
    while len(x) < LAYERS:
        x.append(inverse(area / x[-1] + density(x[-1])))
    x.append(0.0)
    return x, [density(x) for x in x]


def print_array(name, doc, values):
    print(f"\n/// {doc}")
    print("#[rustfmt::skip]")
    print(f"pub(super) static {name}: [f64; {LAYERS + 1}] = [")
    for start in range(0, len(values), 5):
        print("    " + ", ".join(repr(v) for v in values[start : start + 5]) + ",")
    print("];")


# Edges and areas as published with the method; the area of the normal one is given to 14 digits, so that the top
# layer is off by 1e-9 of its area, 4e-12 of the whole.
normal_edge = 3.654152885361008796
exponential_edge = 7.697117470131050077
normal = table(
    lambda x: exp(-x * x / 2.0),
    lambda f: sqrt(-2.0 * log(f)),
    0.00492867323399,
    normal_edge,
)
exponential = table(
    lambda x: exp(-x), lambda f: -log(f), 0.0039496598225815571993, exponential_edge
)

print("//! Layers of the ziggurats, printed by `tests/ziggurat_tables.py`.")
print("\n/// Where the tail of the normal distribution begins.")
print(f"pub(super) const NORMAL_EDGE: f64 = {normal_edge!r};")
print("\n/// Where the tail of the exponential distribution begins.")
print(f"pub(super) const EXPONENTIAL_EDGE: f64 = {exponential_edge!r};")
print_array("NORMAL_X", "Right ends of the layers of exp(−x²/2), the base first.", normal[0])
print_array("NORMAL_F", "exp(−x²/2) at the ends of the layers.", normal[1])
print_array("EXPONENTIAL_X", "Right ends of the layers of exp(−x), the base first.", exponential[0])
print_array("EXPONENTIAL_F", "exp(−x) at the ends of the layers.", exponential[1])
