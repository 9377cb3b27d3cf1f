"""Read by the Python of moto_server as it starts: DynamoDB's requests are dealt with one at a time.

moto has a thread for each request. Its TransactWriteItems puts back a copy of the whole table when a condition fails, and so loses
what others wrote meanwhile, which DynamoDB never does.
"""

import threading

try:
    from moto.dynamodb.responses import DynamoHandler
except ImportError:
    # Another Python on the way to it.
    pass
else:
    turn = threading.RLock()
    call_action = DynamoHandler.call_action

    def call_one_action(self):
        with turn:
            return call_action(self)

    DynamoHandler.call_action = call_one_action
