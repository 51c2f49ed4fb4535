from allgate.admin.keys import new_secret


def test_new_keys_are_long_ours_and_all_different():
    keys = {new_secret().reveal() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("sk-allgate-") and len(key) == 43 for key in keys)
