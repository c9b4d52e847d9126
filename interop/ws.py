"""WebSocket's two ends. `ws.py serve PORT` echoes, and tells who is asking; `ws.py ask URL [CA]` talks to it and says what came."""

import asyncio
import os
import ssl
import sys

import websockets

BIG = os.urandom(1 << 18)


async def echo(socket):
    fields = getattr(socket, "request_headers", None)
    if fields is None:
        fields = socket.request.headers
    await socket.send("user " + fields.get("Tagai-User", "nobody"))
    async for message in socket:
        if message == "close":
            await socket.close(4000, "as you wish")
            return
        await socket.send(message)


async def serve(port):
    async with websockets.serve(echo, "127.0.0.1", port, subprotocols=["chat"]):
        await asyncio.Future()


async def ask(url, ca):
    context = ssl.create_default_context(cafile=ca) if ca else None
    async with websockets.connect(url, ssl=context, subprotocols=["chat"], open_timeout=10) as socket:
        print(await socket.recv(), socket.subprotocol)
        for message in ["text äöü", b"\0\1\2", "", BIG]:
            await socket.send(message)
            assert await socket.recv() == message
        # Many at once, each way.
        await asyncio.gather(*(socket.send(str(number)) for number in range(200)))
        assert [await socket.recv() for _ in range(200)] == [str(number) for number in range(200)]
        await (await socket.ping())
        await asyncio.sleep(float(os.environ.get("QUIET", 0)))
        await socket.send("close")
        try:
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            print(closed.code, closed.reason)


match sys.argv[1:]:
    case ["serve", port]:
        asyncio.run(serve(int(port)))
    case ["ask", url, *ca]:
        asyncio.run(asyncio.wait_for(ask(url, ca[0] if ca else None), 30))
