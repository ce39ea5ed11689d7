"""Which of several pictures are given up early."""

from engine.sampling.contest import Contest


def draw(contest: Contest, course: list[float], end: float) -> bool:
    """One picture of six scales; False when it was given up."""
    contest.begin()
    for scale, likeness in zip(range(3, 5), course, strict=True):
        assert contest.watches(scale, 6)
        if contest.is_lost(scale, likeness):
            return False
    contest.finish(end)
    return True


def test_only_what_is_clearly_behind_is_given_up():
    contest = Contest(margin=0.2)
    assert draw(contest, [0.5, 0.6], 0.7), "the first one has no rival"
    assert draw(contest, [0.35, 0.45], 0.5), "a little behind may still catch up"
    assert not draw(contest, [0.2, 0.0], 0.0) and contest.given_up == 1
    assert draw(contest, [0.6, 0.9], 0.95)
    assert not draw(contest, [0.5, 0.6], 0.7), "the standard is the best picture so far"
    assert contest.given_up == 2


def test_a_likeness_is_asked_for_at_two_scales_before_the_last():
    contest = Contest()
    assert [scale for scale in range(13) if contest.watches(scale, 13)] == [10, 11]
    assert [scale for scale in range(2) if contest.watches(scale, 2)] == [0]
    assert not contest.watches(0, 1)
