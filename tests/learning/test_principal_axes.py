import numpy as np
import pytest

from lnl_core.learning.principal_axes import is_dual, principal_axes


def rows_of(m, d, seed=0):
    """Rows whose spread falls slowly along mixed directions."""
    rng = np.random.default_rng(seed)
    mixed = np.linalg.qr(rng.normal(size=(d, d)))[0]
    rows = rng.normal(size=(m, d)) * np.linspace(2, 0.2, d) @ mixed
    return rows - rows.mean(axis=0)


@pytest.mark.parametrize("m", [2, 40, 119, 120, 160, 500], ids=lambda m: f"{m} of 160")
def test_both_forms_give_the_axes_of_the_whole_decomposition(m):
    rows = rows_of(m, 160)
    spread, axes = principal_axes(rows, 24)
    values, vectors = np.linalg.eigh(rows.T @ rows / m)
    r = min(24, m - 1)  # centred rows span one axis less
    np.testing.assert_allclose(spread[:r], values[::-1][:r], rtol=1e-9)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-7)
    best = vectors[:, ::-1][:, :r]
    np.testing.assert_allclose(axes[:, :r] @ axes[:, :r].T, best @ best.T, atol=1e-7)


def test_few_rows_make_no_square_of_the_features():
    assert is_dual(300, 4032)
    assert not is_dual(4000, 4032)
    wide = np.broadcast_to(np.float32(1), (4, 10**6)) * np.arange(4, dtype=np.float32)[:, None]
    spread, axes = principal_axes(wide - 1.5, 3)  # 10^12 numbers otherwise
    assert axes.shape == (10**6, 1)
    np.testing.assert_allclose(spread, [1.25e6], rtol=1e-5)


def test_rows_without_any_spread_have_no_axes():
    assert principal_axes(np.zeros((5, 90)), 3)[1].shape == (90, 0)
