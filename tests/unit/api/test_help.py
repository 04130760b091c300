"""Help cards over HTTP."""

from __future__ import annotations

import httpx
import pytest

from layerloom.schema.help import Help

CONV = "/api/catalogue/help/torch.nn.Conv2d"


def test_a_card_is_given_by_name_and_only_once(user: httpx.Client) -> None:
    answer = user.get(CONV)
    told = Help.model_validate_json(answer.content)
    assert told.parameters[0].name == "in_channels"
    assert told.shape
    assert answer.headers["cache-control"] == "no-cache"
    again = user.get(CONV, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["torch.os.system", "torch.nn.Module", "python.Mine", "..%2F..%2Ftoken", "x" * 200])
def test_what_is_in_no_catalogue_has_no_card(user: httpx.Client, name: str) -> None:
    assert user.get(f"/api/catalogue/help/{name}").status_code == 404


def test_a_card_is_for_those_who_are_signed_in(api) -> None:  # type: ignore[no-untyped-def]
    assert api.client().get(CONV).status_code == 401
