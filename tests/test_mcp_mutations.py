"""Mutated config files of MCP clients: 50 of each shape and syntax in two ways; tests/real has 500."""

from __future__ import annotations

import mcp_mutations
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp_samples import SAMPLES

from ssowatch.mcp import shapes

FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_every_shape_is_mutated():
    assert {getattr(shapes, name) for name in mcp_mutations.SHAPES} == SAMPLES.keys()


@pytest.mark.parametrize(("name", "path"), mcp_mutations.ROWS)
@FEW
@given(data=st.data())
def test_other_values(name, path, data):
    mcp_mutations.survives(name, path, data.draw(mcp_mutations.values(name, path)))


@pytest.mark.parametrize(("name", "path"), mcp_mutations.ROWS)
@FEW
@given(data=st.data())
def test_other_bytes(name, path, data):
    mcp_mutations.survives(name, path, data.draw(mcp_mutations.garbled(name, path)))
