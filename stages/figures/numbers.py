"""How numbers are written in pictures and on pages."""


def written(value: float, digits: int = 2) -> str:
    """A number with at most `digits` significant digits: 0.012, 12, 1.2·10⁻⁸."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if value == 0 or -3 <= int(exponent) < 5:
        return f"{float(f'{mantissa}e{exponent}'):.10g}"
    mantissa, power = f"{float(mantissa):g}", power_of_ten(int(exponent))
    return power if mantissa == "1" else f"{mantissa}·{power}"


def power_of_ten(exponent: int) -> str:
    """A power of ten as text: 10⁻¹⁵."""
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
