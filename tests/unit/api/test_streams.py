"""The tail that viewers of a run share, and those who ride on it."""

from __future__ import annotations

import asyncio

from layerloom.api.streams import TAIL_EVENTS, Streams, Tail
from layerloom.api.transport import UNSENT_BYTES
from looping import looped


class Watcher:
    """What a viewer of a tail was written, and whether there is room."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.room = True

    def push(self, frames: bytes) -> bool:
        if self.room:
            self.writes.append(frames)
        return self.room


async def turn() -> None:
    """Let every task run up to where it waits."""
    for _ in range(3):
        await asyncio.sleep(0)


class TestRiding:
    def test_all_who_are_level_are_written_the_same_bytes(self) -> None:
        async def watch() -> None:
            tail, watchers = Tail(), [Watcher() for _ in range(3)]
            riding = [asyncio.create_task(tail.ride(0, watcher.push)) for watcher in watchers]
            await turn()
            tail.add(1, [b"one", b"two"])
            assert not watchers[0].writes
            tail.tell()
            tail.tell()
            assert [watcher.writes for watcher in watchers] == [[b"\x81\x03one\x81\x03two"]] * 3
            assert watchers[0].writes[0] is watchers[1].writes[0] is watchers[2].writes[0]
            for task in riding:
                task.cancel()

        looped(watch())

    def test_who_knows_more_is_told_only_the_rest(self) -> None:
        """He has read from the store what the tail has not told yet."""

        async def watch() -> None:
            tail, watchers = Tail(), {cursor: Watcher() for cursor in (4, 5, 6, 9)}
            tail.add(1, [b"-"] * 4)
            riding = [asyncio.create_task(tail.ride(cursor, watcher.push)) for cursor, watcher in watchers.items()]
            await turn()
            tail.add(5, [b"5", b"6"])
            tail.tell()
            tail.add(7, [b"7", b"8", b"9"])
            tail.add(10, [b"x"])
            tail.tell()
            got = {cursor: b"".join(watcher.writes).replace(b"\x81\x01", b"") for cursor, watcher in watchers.items()}
            assert got == {4: b"56789x", 5: b"6789x", 6: b"789x", 9: b"x"}
            for task in riding:
                task.cancel()

        looped(watch())

    def test_who_has_no_room_goes_on_from_where_he_is(self) -> None:
        async def watch() -> None:
            tail, watcher, other = Tail(), Watcher(), Watcher()
            riding = asyncio.create_task(tail.ride(0, watcher.push))
            others = asyncio.create_task(tail.ride(0, other.push))
            await turn()
            tail.add(1, [b"1"])
            tail.tell()
            watcher.room = False
            tail.add(2, [b"2"])
            tail.tell()
            watcher.room = True
            tail.add(3, [b"3"])
            tail.tell()
            assert await riding == 1
            assert watcher.writes == [b"\x81\x011"]
            assert tail.after(1) == [b"2", b"3"]
            assert len(other.writes) == 3
            others.cancel()

        looped(watch())

    def test_too_much_for_one_write_is_left_to_each_pace(self) -> None:
        async def watch() -> None:
            tail, watcher = Tail(), Watcher()
            riding = asyncio.create_task(tail.ride(0, watcher.push))
            await turn()
            tail.add(1, [b"x" * UNSENT_BYTES, b"x"])
            tail.tell()
            assert await riding == 0
            assert not watcher.writes

        looped(watch())

    def test_what_comes_at_once_is_told_at_once(self) -> None:
        async def read(_run: str, _after: int, _limit: int) -> list[bytes]:
            return []

        async def watch() -> None:
            streams, watcher = Streams(read), Watcher()
            streams.attach()

            async def follow() -> None:
                async for _ in streams.follow("run", 0, watcher.push):
                    raise AssertionError("nobody is behind")

            following = asyncio.create_task(follow())
            await turn()
            for seq in range(1, 6):
                streams.publish("run", seq, [b"%d" % seq])
            while not watcher.writes:
                await asyncio.sleep(0.001)
            assert watcher.writes == [b"".join(b"\x81\x01%d" % seq for seq in range(1, 6))]
            assert streams.viewers == 1
            following.cancel()

        looped(watch())


class TestComingTogether:
    def test_who_comes_at_once_shares_one_read_of_the_store(self) -> None:
        """A thousand who each read the same would keep each other, and what is new, waiting for a second."""

        async def watch() -> None:
            reads: list[int] = []
            answer = asyncio.Event()

            async def read(_run: str, after: int, _limit: int) -> list[bytes]:
                reads.append(after)
                await answer.wait()
                return [b"%d" % seq for seq in range(after + 1, 6)]

            streams, watchers = Streams(read), [Watcher() for _ in range(100)]
            streams.attach()
            got: list[list[bytes]] = [[] for _ in watchers]

            async def look(index: int, after: int) -> None:
                async for events in streams.follow("run", after, watchers[index].push):
                    got[index] += events

            looking = [asyncio.create_task(look(index, index % 2)) for index in range(len(watchers))]
            await turn()
            assert sorted(reads) == [0, 1]
            # The one for whom a read was begun leaves; the others still have it.
            looking[0].cancel()
            streams.publish("run", 6, [b"6"])
            await turn()
            answer.set()
            for _ in range(4):
                await turn()
            assert got[1] == [b"2", b"3", b"4", b"5", b"6"]
            assert got[2] == [b"1", b"2", b"3", b"4", b"5", b"6"]
            assert all(events == got[1 + index % 2] for index, events in enumerate(got[1:]))
            for task in looking:
                task.cancel()

        looped(watch())

    def test_who_comes_later_reads_for_himself(self) -> None:
        async def watch() -> None:
            reads: list[int] = []

            async def read(_run: str, after: int, _limit: int) -> list[bytes]:
                reads.append(after)
                return []

            tail = Tail()
            for _ in range(2):
                assert await tail.stored(3, lambda: read("run", 3, 500)) == []
            assert reads == [3, 3]

        looped(watch())


class TestTail:
    def test_it_reaches_back_only_so_far(self) -> None:
        tail = Tail()
        assert tail.after(0) is None
        tail.add(1, [b"%d" % seq for seq in range(1, TAIL_EVENTS + 11)])
        assert tail.after(0) is None
        assert tail.after(10) == [b"%d" % seq for seq in range(11, TAIL_EVENTS + 11)]
        assert tail.after(TAIL_EVENTS + 10) == []

    def test_a_gap_empties_it(self) -> None:
        tail = Tail()
        tail.add(1, [b"1", b"2"])
        tail.add(5, [b"5"])
        assert tail.after(2) is None
        assert tail.after(4) == [b"5"]

    def test_what_is_told_twice_is_kept_once(self) -> None:
        tail = Tail()
        tail.add(1, [b"1", b"2"])
        tail.add(2, [b"2", b"3"])
        assert tail.after(0) == [b"1", b"2", b"3"]

    def test_it_holds_few_large_events(self) -> None:
        tail = Tail()
        tail.add(1, [b"x" * 1_500_000] * 5)
        assert tail.after(3) is None
        assert len(tail.after(4) or []) == 1
