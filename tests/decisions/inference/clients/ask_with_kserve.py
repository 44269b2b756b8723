"""Run by the client's own Python: URL KEY. Prints what KServe's client saw, as JSON."""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

url, key = sys.argv[1:3]
headers = {"Authorization": f"Bearer {key}"}


def request(binary):
    things = InferInput("thing", [3], "BYTES")
    things.set_data_from_numpy(np.array([b"t1", b"t2", b"t3"], dtype=object), binary_data=binary)
    sizes = InferInput("size", [3], "FP64")
    sizes.set_data_from_numpy(np.array([7.0, 4.0, 9.0]), binary_data=binary)
    times = InferInput("at", [3], "BYTES")
    times.set_data_from_numpy(np.array([b"2013-12-05T19:00:00Z"] * 3, dtype=object), binary_data=binary)
    return InferRequest("small", [things, sizes, times], parameters={"binary_data_output": binary})


def texts(output):
    return [each.decode() if isinstance(each, bytes) else each for each in output.as_numpy().tolist()]


async def main():
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        found = {
            "live": await client.is_server_live(url),
            "ready": await client.is_server_ready(url),
            "model_ready": await client.is_model_ready(url, "small", headers=headers),
            "other_ready": await client.is_model_ready(url, "other", headers=headers),
        }
        for name, binary in (("binary", True), ("json", False)):
            reply = await client.infer(url, request(binary), model_name="small", headers=dict(headers))
            found[name] = {each.name: texts(each) for each in reply.outputs}
        try:
            await client.infer(url, request(False), model_name="other", headers=dict(headers))
        except httpx.HTTPStatusError as error:
            found["refused"] = str(error)
    print(json.dumps(found))


asyncio.run(main())
