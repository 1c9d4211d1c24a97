"""Settings: what is unknown, doubtful or secret is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.routing.gateway import load_config, read_config
from tests.routing.gateway.made_gateway import LARGE, PROVIDER, SMALL, Told, Upstream, written


def test_settings_that_are_not_given_are_the_documented_defaults():
    config = read_config(written())
    assert (config.server.host, config.server.max_body_bytes) == ("127.0.0.1", 4 * 2**20)
    provider = config.providers["local"]
    deadlines = (provider.connect_timeout_s, provider.first_byte_timeout_s)
    assert (*deadlines, provider.idle_timeout_s, provider.total_timeout_s) == (5, 60, 60, 600)


WRONG = {
    "unknown section": ({"servre": {}}, "unknown key 'servre'; closest is 'server'"),
    "unknown key": ({"server": {"prot": 1}}, "closest is 'port'"),
    "another type": ({"server": {"port": "80"}}, "port: str, must be a whole number"),
    "a boolean for a number": ({"server": {"port": True}}, "True, must be a whole number"),
    "out of range": ({"server": {"port": 70000}}, "70000, must be a whole number in [0, 65535]"),
    "no time": ({"server": {"drain_s": 0}}, "must be a number in (0"),
    "infinite time": ({"server": {"drain_s": float("inf")}}, "must be a number"),
    "token itself": ({"server": {"token": "sk-hidden"}}, "Name an environment variable in token_env"),
    "token as name": ({"server": {"token_env": "sk-hidden"}}, "not the name of an environment variable"),
    "unknown default policy": ({"server": {"policy": "qualty"}}, "Did you mean 'quality'?"),
    "unknown shadow": ({"server": {"shadow_model": "smal"}}, "Did you mean 'small'?"),
    "policy kind": ({"policy": {"x": {"kind": "at_lest"}}}, "Did you mean 'at_least'?"),
    "policy without its number": ({"policy": {"x": {"kind": "at_least"}}}, "no 'share_of_best'"),
    "policy with another's": ({"policy": {"x": {"kind": "quality", "usd_per_point": 1}}}, "unknown key"),
    "policy of unknown models": ({"policy": {"x": {"models": ["lrge"]}}}, "Did you mean 'large'?"),
    "policy name like a number's": ({"policy": {"cost=1": {}}}, "Choose another name"),
    "budget without an amount": ({"budget": {"per": "day"}}, "no 'usd'"),
    "budget per what": ({"budget": {"usd": 1, "per": "week"}}, "hour, day, month, total"),
    "a table for a list": ({"model": {"name": "x"}}, "no [[model]], needs at least one"),
    "header end in a name": ({"model": [SMALL | {"name": "a\r\nb: c"}]}, "must be at most 200 letters"),
    "the same name twice": ({"model": [SMALL, SMALL]}, "written twice"),
    "unknown provider": ({"model": [SMALL | {"provider": "lokal"}]}, "Did you mean 'local'?"),
    "unknown fallback": ({"model": [SMALL | {"fallback": ["lrge"]}, LARGE]}, "Did you mean 'large'?"),
    "fallback to itself": ({"model": [SMALL | {"fallback": ["small"]}]}, "names itself"),
    "a reserved name": ({"model": [SMALL | {"name": "auto:x"}]}, "'auto' asks for routing"),
    "one price of two": (
        {"model": [{"name": "m", "provider": "local", "input_usd_per_mtok": 1}]},
        "one price",
    ),
    "budget without prices": (
        {"model": [{"name": "m", "provider": "local"}], "budget": {"usd": 1}},
        "no price for m",
    ),
    "unknown ability": ({"model": [SMALL | {"supports": ["tool"]}]}, "Did you mean 'tools'?"),
    "key itself": ({"provider": [PROVIDER | {"api_key": "sk-hidden"}]}, "api_key_env"),
    "key in the address": (
        {"provider": [PROVIDER | {"base_url": "https://u:sk-hidden@h/v1"}]},
        "holds a user or password",
    ),
    "no address": ({"provider": [PROVIDER | {"base_url": "file:///etc/passwd"}]}, "http or https address"),
    "key over plain http": (
        {"provider": [PROVIDER | {"base_url": "http://example.org/v1", "api_key_env": "K"}]},
        "would travel over plain http",
    ),
    "key and the client's": (
        {"provider": [PROVIDER | {"api_key_env": "K", "forward_authorization": True}]},
        "exclude each other",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused_with_the_cure_and_without_the_secret(case):
    change, words = WRONG[case]
    with pytest.raises(SettingError) as refused:
        read_config(written() | change)
    assert words in str(refused.value)
    assert "sk-hidden" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.ci
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
def test_anything_else_in_place_of_a_section_is_refused_and_never_breaks(value):
    for section in ("server", "provider", "model", "policy", "budget"):
        try:
            read_config(written() | {section: value})
        except SettingError:
            continue
        assert value == {}, section


def test_a_file_that_is_missing_or_no_toml_is_refused(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        load_config(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"[server\nport = 1")
    with pytest.raises(SettingError, match="is no TOML"):
        load_config(bad)
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match="is no TOML"):
        load_config(bad)


def _made(config, router=None):
    from isoflop.routing.gateway import create_app

    return create_app(config=read_config(config), router=router, complete=Upstream())


def test_keys_come_from_the_environment_only(monkeypatch):
    keyed = written() | {"provider": [PROVIDER | {"api_key_env": "MADE_KEY"}]}
    monkeypatch.delenv("MADE_KEY", raising=False)
    with pytest.raises(SettingError, match="MADE_KEY is not set"):
        _made(keyed)
    monkeypatch.setenv("MADE_KEY", "sk-1\r\nx-evil: 1")
    with pytest.raises(SettingError, match="characters that a header cannot carry"):
        _made(keyed)
    monkeypatch.setenv("MADE_KEY", "sk-1")
    target = _made(keyed).running.targets["small", "chat"]
    assert target.headers == ((b"authorization", b"Bearer sk-1"),)
    assert "sk-1" not in repr(target)
    other = keyed | {"provider": [keyed["provider"][0] | {"api_key_header": "api-key"}]}
    assert _made(other).running.targets["small", "chat"].headers == ((b"api-key", b"sk-1"),)


def test_models_that_the_router_does_not_know_are_told_or_refused():
    with pytest.raises(SettingError, match="the router scores none of small, large; it knows other"):
        _made(written(), Told("other"))
    assert "no scores of small" in _made(written(), Told("large")).running.cautions[0]
    renamed = written(SMALL | {"scored_as": "theirs"}, LARGE)
    assert not _made(renamed, Told("theirs", "large")).running.cautions


def test_without_a_router_only_price_can_decide():
    assert "cheapest model" in _made(written()).running.cautions[0]
    weighing = written(policy={"thrifty": {"kind": "at_least", "share_of_best": 0.9}})
    with pytest.raises(SettingError, match="needs a router"):
        _made(weighing)
