"""Signatures of webhooks: Standard Webhooks, checked with the example its authors publish and with forged messages."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.delivery.signatures import Secrets, Unverified
from churnrisk.errors import ConfigError

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def secrets(text: str = SECRET) -> Secrets:
    return Secrets.of(text, "[webhooks] secret")


def test_the_signature_is_the_one_of_the_published_test_vector() -> None:
    # from the test suite of the reference libraries (standard-webhooks/standard-webhooks, libraries/)
    found = secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        '{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC).replace(tzinfo=None),
    )
    assert found["webhook-timestamp"] == "1614265330"
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(
    st.binary(min_size=24, max_size=64),
    st.text(max_size=200),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
)
def test_the_signature_is_hmac_sha256_of_id_timestamp_and_body(key: bytes, body: str, at: datetime) -> None:
    try:
        body.encode()
    except UnicodeEncodeError:
        return
    made = Secrets((key,)).headers("m1", body, at)
    signed = f"m1.{made['webhook-timestamp']}.{body}".encode()
    assert (
        made["webhook-signature"]
        == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    )


def test_what_was_signed_is_verified_whatever_the_script() -> None:
    body = '{"comment": "слишком дорого, 太贵了"}'
    headers = secrets().headers("m1", body, now())
    assert secrets().verified(body.encode(), headers) == {"comment": "слишком дорого, 太贵了"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-signature": "v1,AAAA"}, "signature"),
        ({"webhook-signature": "nonsense"}, "signature"),
        ({"webhook-signature": "v1,ä"}, "signature"),
        ({"webhook-signature": "v2,AAAA v1"}, "signature"),
        ({"webhook-id": "m2"}, "signature"),
        ({"webhook-timestamp": "soon"}, "signature"),
        ({"webhook-timestamp": "1e400"}, "signature"),
        ({"webhook-timestamp": ""}, "headers"),
        ({"webhook-id": ""}, "headers"),
    ],
)
def test_a_message_that_was_tampered_with_is_refused_with_a_reason(
    change: dict[str, str], reason: str
) -> None:
    headers = secrets().headers("m1", "{}", now()) | change
    with pytest.raises(Unverified) as caught:
        secrets().verified(b"{}", headers)
    assert caught.value.reason == reason


def test_another_body_than_the_signed_one_is_refused() -> None:
    headers = secrets().headers("m1", '{"score": 9}', now())
    with pytest.raises(Unverified, match="signature"):
        secrets().verified(b'{"score": 0}', headers)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_of_another_time_is_refused_so_that_it_cannot_be_played_again(minutes: int) -> None:
    headers = secrets().headers("m1", "{}", now() + timedelta(minutes=minutes))
    with pytest.raises(Unverified, match="signature"):
        secrets().verified(b"{}", headers)


@pytest.mark.parametrize("body", [b"\xff", b"{"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    headers = secrets().headers("m1", body.decode("latin-1"), now())
    with pytest.raises(Unverified, match="body"):
        secrets().verified(body, headers)


def test_while_a_secret_is_changed_both_are_in_force() -> None:
    both = secrets(f"{OTHER} {SECRET}")
    signed_by_the_old, signed_by_both = secrets().headers("m", "{}", now()), both.headers("m", "{}", now())
    assert both.verified(b"{}", signed_by_the_old) == {}
    assert secrets().verified(b"{}", signed_by_both) == secrets(OTHER).verified(b"{}", signed_by_both) == {}


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_*" + "A" * 40, SECRET + " short"])
def test_a_secret_that_is_too_short_or_no_base64_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        secrets(text)
    assert caught.value.codes == ("webhook_secret",)
    assert not any(
        part in str(caught.value).replace("whsec_ and", "") for part in text.split() if len(part) > 6
    )


def test_secrets_do_not_show_in_their_representation() -> None:
    assert SECRET[6:20] not in repr(secrets())
    assert str(bytes(range(5)))[2:-1] not in repr(secrets())
