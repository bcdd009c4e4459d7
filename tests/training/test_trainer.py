"""The loop: its events, its sums, and a trainer that goes on where another one stopped."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid import nn, optim
from pellucid.data import DataLoader, TensorDataset
from pellucid.nn import functional
from pellucid.optim.lr_scheduler import OneCycleLR
from pellucid.training import BatchDone, EpochDone, Trainer

X = np.random.default_rng(0).standard_normal((10, 4)).astype(np.float32)
Y = np.arange(10) % 3
EPOCHS = 3


def new_trainer() -> Trainer:
    """A small one with dropout, whose last batch is short."""
    pellucid.manual_seed(5)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    loader = DataLoader(TensorDataset(X, Y), 4, shuffle=True, seed=1)
    scheduler = OneCycleLR(optimizer, 0.05, EPOCHS * len(loader), cycle_momentum=False)
    test_loader = DataLoader(TensorDataset(X[:6], Y[:6]), 4)
    return Trainer(model, optimizer, scheduler, loader, test_loader, 3, EPOCHS)


def weights(trainer: Trainer) -> bytes:
    return b"".join(tensor.array.tobytes() for tensor in trainer.model.state_dict().values())


def test_the_order_of_events() -> None:
    events = list(new_trainer().events())
    of_an_epoch = [(True, 1, 3, 4), (True, 2, 3, 4), (True, 3, 3, 2), (False, 1, 2, 4),
                   (False, 2, 2, 2)]  # fmt: skip
    assert len(events) == EPOCHS * 6
    for epoch in range(1, EPOCHS + 1):
        *batches, last = events[6 * (epoch - 1) : 6 * epoch]
        assert [(e.training, e.batch, e.batches, e.images) for e in batches] == of_an_epoch
        assert {e.epoch for e in (*batches, last)} == {epoch}
        assert isinstance(last, EpochDone)
        assert (last.train_loss, last.test_loss) == (batches[2].loss, batches[4].loss)


def test_the_sums_are_those_of_a_plain_loop() -> None:
    trainer, plain = new_trainer(), new_trainer()
    pellucid.manual_seed(6)
    events = list(trainer.events())
    pellucid.manual_seed(6)
    for epoch in range(EPOCHS):
        plain.model.train()
        losses = []
        for x, y in plain.loader:
            loss = functional.cross_entropy(plain.model(x), y)
            losses += [loss.item()] * len(y)
            plain.optimizer.zero_grad()
            loss.backward()
            plain.optimizer.step()
            plain.scheduler.step()
        plain.model.eval()
        scores = plain.model(pellucid.tensor(X[:6])).detach()
        line = events[6 * epoch + 5]
        assert line.train_loss == pytest.approx(np.mean(losses), rel=1e-12)
        assert line.test_loss == pytest.approx(
            functional.cross_entropy(scores, pellucid.tensor(Y[:6])).item(), rel=1e-6
        )
        assert line.test_accuracy == (scores.array.argmax(1) == Y[:6]).mean()
    assert weights(trainer) == weights(plain)


def test_it_learns() -> None:
    trainer = new_trainer()
    losses = [e.train_loss for e in trainer.events() if isinstance(e, EpochDone)]
    assert losses[-1] < losses[0]


def test_how_far_it_is() -> None:
    trainer = new_trainer()
    shares = [trainer.share for event in trainer.events() if isinstance(event, BatchDone)]
    assert shares[0] == pytest.approx(1 / 9)
    assert shares[2:5] == pytest.approx([1 / 3] * 3)
    assert trainer.share == 1


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5, 6, 8, 11, 17, 18])
def test_it_goes_on_after_any_event_to_the_same_bits(stop: int) -> None:
    whole = new_trainer()
    lines = [e for e in whole.events() if isinstance(e, EpochDone)]
    first = new_trainer()
    for _, _ in zip(range(stop), first.events(), strict=False):
        pass
    checkpoint = pellucid.Checkpoint.capture(
        first.model, first.optimizer, first.scheduler, metadata=first.state_dict()
    )
    second = new_trainer()
    checkpoint.restore(second.model, second.optimizer, second.scheduler)
    second.load_state_dict(checkpoint.metadata)
    rest = [e for e in second.events() if isinstance(e, EpochDone)]
    assert weights(second) == weights(whole)
    assert second.history == lines
    assert [e.epoch for e in rest] == list(range(first.epoch + 1, EPOCHS + 1))


def test_a_trainer_that_has_ended_has_no_more_events() -> None:
    trainer = new_trainer()
    list(trainer.events())
    assert list(trainer.events()) == []
