"""Run by the client's own Python: URL KEY. Prints what Triton's client saw, as JSON."""

import json
import sys

import numpy as np
import tritonclient.http as triton

url, key = sys.argv[1:3]


def headers():
    return {"Authorization": f"Bearer {key}"}  # made for each call: the client writes its own into what it is given


client = triton.InferenceServerClient(url.removeprefix("http://"))
things = np.array(["t1", "t2", "t3"], dtype=object)
sizes = np.array([7.0, 4.0, 9.0])
times = np.array(["2013-12-05T19:00:00Z"] * 3, dtype=object)
inputs = [
    triton.InferInput("thing", [3], "BYTES"),
    triton.InferInput("size", [3], "FP64"),
    triton.InferInput("at", [3], "BYTES"),
]


def told(binary, version="", outputs=None):
    for tensor, values in zip(inputs, (things, sizes, times), strict=True):
        tensor.set_data_from_numpy(values, binary_data=binary)
    result = client.infer("small", inputs, headers=headers(), model_version=version, outputs=outputs, request_id="7")
    names = [each["name"] for each in result.get_response()["outputs"]]
    values = {name: result.as_numpy(name).tolist() for name in names}
    texts = {name: [each.decode() if isinstance(each, bytes) else each for each in row] for name, row in values.items()}
    return {"id": result.get_response()["id"], "outputs": texts}


def refused(**changed):
    try:
        client.infer("small", inputs, **{"headers": headers(), **changed})
    except triton.InferenceServerException as error:
        return [error.status(), error.message()]
    return []


metadata = client.get_model_metadata("small", headers=headers())
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready("small", headers=headers()),
            "other_ready": client.is_model_ready("other", headers=headers()),
            "extensions": client.get_server_metadata()["extensions"],
            "inputs": [each["name"] for each in metadata["inputs"]],
            "binary": told(True),
            "json": told(
                False, outputs=[triton.InferRequestedOutput(name, False) for name in ("answer", "decision_id")]
            ),
            "versioned": told(True, metadata["versions"][0], [triton.InferRequestedOutput("probability")]),
            "refused": refused(model_version="ver_0"),
            "stranger": refused(headers={"Authorization": "Bearer pk_nobody"}),
        }
    )
)
