"""The variants of the optimizers, written and read."""

from pathlib import Path

from stages.task.variants import Variant, read_variants, write_variants

VARIANTS = [
    Variant("SGD", "lr=0.1 betas=[0.8, 0.99]", 0, 125, 0),
    Variant("Muon", "", 23, None, 17),
    Variant("Lion", 'é="a,b"', None, None, None),
]


def test_variants_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "plots" / "variants.csv"
    write_variants(path, VARIANTS)
    assert read_variants(path) == VARIANTS
    head, first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert head == "optimizer,variant,ulp_ieee,ulp_native,first_difference"
    assert first == 'SGD,"lr=0.1 betas=[0.8, 0.99]",0,125,0'
