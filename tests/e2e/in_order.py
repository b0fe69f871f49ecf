"""The stock python-socketio client, with its handlers called one after another.

As it comes, it starts a thread for each message, and these may overtake each other on the way to a log that must show
the order of arrival.
"""

import engineio
import socketio


class InOrder(engineio.Client):
    def _trigger_event(self, event, *args, run_async=False, **more):
        return super()._trigger_event(event, *args, run_async=run_async and event != "message", **more)


class Client(socketio.Client):
    def _engineio_client_class(self):
        return InOrder
