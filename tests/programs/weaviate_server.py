"""The few requests of Weaviate that its client needs to store and search vectors, by an exact search.

`python weaviate_server.py`: prints its HTTP and gRPC ports on a line, and serves until standard input ends. With
`--port PORT` among its arguments it serves as the binary does that the client starts: there, until it is ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from weaviate.proto.v1 import batch_pb2, health_weaviate_pb2, search_get_pb2, weaviate_pb2_grpc

collections: dict[str, list[tuple[int, Any]]] = {}


class Http(BaseHTTPRequestHandler):
    """The REST side: is it ready, its version, collections made and removed."""

    def _say(self, status: int, content: Any = None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path == "/v1/meta":
            self._say(200, {"version": "1.34.0", "hostname": "test", "modules": {}})
        elif "openid" in self.path:
            self._say(404)
        elif self.path == "/v1/schema":
            self._say(200, {"classes": [{"class": name} for name in collections]})
        else:
            self._say(200)

    def do_POST(self) -> None:
        made = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        distance = made["vectorConfig"]["default"]["vectorIndexConfig"]["distance"]
        if distance != "cosine":
            self._say(422, {"error": [{"message": f"distance {distance}"}]})
            return
        collections[made["class"]] = []
        self._say(200, made)

    def do_DELETE(self) -> None:
        collections.pop(self.path.rpartition("/")[2], None)
        self._say(200)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class Grpc(weaviate_pb2_grpc.WeaviateServicer):
    """The gRPC side: objects in, the nearest out."""

    def BatchObjects(self, request: Any, context: Any) -> Any:
        for one in request.objects:
            raw = one.vectors[0].vector_bytes if one.vectors else one.vector_bytes
            vector = np.frombuffer(raw, np.float32)
            collections[one.collection].append((int(one.properties.non_ref_properties["n"]), vector))
        return batch_pb2.BatchObjectsReply(took=0.0)

    def Search(self, request: Any, context: Any) -> Any:
        near = request.near_vector
        raw = near.vectors[0].vector_bytes if near.vectors else near.vector_bytes
        known = collections[request.collection]
        scores = np.array([vector for _, vector in known]) @ np.frombuffer(raw, np.float32)
        reply = search_get_pb2.SearchReply(took=0.0)
        for row in np.argsort(-scores)[: request.limit].tolist():
            result = reply.results.add()
            result.metadata.id = f"00000000-0000-0000-0000-{known[row][0]:012}"
            result.properties.non_ref_props.fields["n"].int_value = known[row][0]
        return reply


def _health(_request: Any, _context: Any) -> Any:
    return health_weaviate_pb2.WeaviateHealthCheckResponse(status="SERVING")


def main() -> None:
    started = "--port" in sys.argv
    wanted = int(sys.argv[sys.argv.index("--port") + 1]) if started else 0
    http = ThreadingHTTPServer(("127.0.0.1", wanted), Http)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    server = grpc.server(ThreadPoolExecutor(2))
    weaviate_pb2_grpc.add_WeaviateServicer_to_server(Grpc(), server)
    check = grpc.unary_unary_rpc_method_handler(
        _health, health_weaviate_pb2.WeaviateHealthCheckRequest.FromString,
        health_weaviate_pb2.WeaviateHealthCheckResponse.SerializeToString,
    )  # fmt: skip
    handlers = {"Check": check}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers),))
    port = server.add_insecure_port(f"127.0.0.1:{os.environ['GRPC_PORT'] if started else 0}")
    server.start()
    if started:
        Path(os.environ["PERSISTENCE_DATA_PATH"], "kept").write_bytes(bytes(1 << 20))
        signal.pause()
    print(http.server_port, port, flush=True)
    sys.stdin.read()
    print(json.dumps(sorted(collections)), flush=True)
    server.stop(0)


if __name__ == "__main__":
    main()
