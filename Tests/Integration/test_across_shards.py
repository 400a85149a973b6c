"""Tests of other modules once more, with all workers on another shard than the door.

GATEHOUSE_CROSSES_SHARDS=1 runs any test so.
"""

import pytest

# The fixture of test_limits comes along.
from test_client_lives import (
    test_client_resets, test_client_that_never_reads, test_client_that_stops_reading,
    test_close_with_half_a_packet, test_flood_from_a_client, test_flood_to_a_reader,
    test_half_close, test_half_close_and_no_answer)
from test_contract import test_largest_messages
from test_framing import test_random_chunks
from test_limits import (
    game, test_a_session_inside_is_ended_by_the_rule, test_packets_that_ban,
    test_the_older_is_replaced, test_violations)
from test_routing import test_answer_by_another_worker, test_broadcasts
from test_session_events import (
    test_closed_after_the_last_packet, test_opened_comes_first, test_resumed_after_a_move)
from test_shutdown import test_shutdown_flushes
from test_worker_lives import test_all_workers_lost, test_no_worker_in_time


@pytest.fixture
def crosses_shards():
    return True
