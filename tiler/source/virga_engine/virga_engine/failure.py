# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, as the protocol's codes (base/status.h) and one sentence for a person."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Codes of FAILURE; the numbers are those of base/status.h."""

    NO_MEMORY = -2
    INVALID = -3
    NOT_FOUND = -4
    UNREADABLE = -5
    UNSUPPORTED = -6
    TOO_LARGE = -7
    TIMED_OUT = -8
    CANCELLED = -9
    SYSTEM = -10
    GONE = -11
    INTERNAL = -12
    CHANGED = -13


class Failure(Exception):
    """A request's failure, as it is told to the server.

    The message is one short sentence that begins without a capital, says what is wrong and what to do, and does not
    name the dataset's address: the server puts that in front.
    """

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = Status(status)
        self.message = message


class Cancelled(Failure):
    """The server gave the request up."""

    def __init__(self) -> None:
        super().__init__(Status.CANCELLED, "the request was given up")
