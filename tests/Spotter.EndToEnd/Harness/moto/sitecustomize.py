"""Read by the Python of moto_server as it starts: requests to DynamoDB, and those about objects of S3, are dealt with one at a time.

moto has a thread for each request. Its TransactWriteItems puts back a copy of the whole table when a condition fails, and so loses
what others wrote meanwhile. An object that is written over is closed while the request that wrote it is still being answered, which
fails then. DynamoDB and S3 never do either.
"""

import threading


def one_at_a_time(owner, name):
    turn = threading.RLock()
    call = getattr(owner, name)

    def call_one(*arguments, **named):
        with turn:
            return call(*arguments, **named)

    setattr(owner, name, call_one)


try:
    from moto.dynamodb.responses import DynamoHandler
    from moto.s3.responses import S3Response
except ImportError:
    # Another Python on the way to it.
    pass
else:
    one_at_a_time(DynamoHandler, "call_action")
    one_at_a_time(S3Response, "key_response")
