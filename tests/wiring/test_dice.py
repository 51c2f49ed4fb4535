from allgate.wiring.dice import BLOCK_BYTES, BufferedDice


def test_no_two_draws_share_bytes_across_blocks() -> None:
    dice = BufferedDice()
    draws = [dice(10) for _ in range(3 * BLOCK_BYTES // 10)]
    assert len(set(draws)) == len(draws)
    assert {len(draw) for draw in draws} == {10}


def test_more_than_a_block_can_be_drawn() -> None:
    assert len(BufferedDice()(2 * BLOCK_BYTES)) == 2 * BLOCK_BYTES
