"""Mutated config files of MCP clients, 500 of each shape and syntax in two ways."""

from __future__ import annotations

import mcp_mutations
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.real
MANY = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("name", "path"), mcp_mutations.ROWS)
@MANY
@given(data=st.data())
def test_other_values(name, path, data):
    mcp_mutations.survives(name, path, data.draw(mcp_mutations.values(name, path)))


@pytest.mark.parametrize(("name", "path"), mcp_mutations.ROWS)
@MANY
@given(data=st.data())
def test_other_bytes(name, path, data):
    mcp_mutations.survives(name, path, data.draw(mcp_mutations.garbled(name, path)))
