"""Answers for `platform: "onnxruntime_onnx"` in a Triton that has the Python backend alone: the wheel that the tests install.

Triton looks up a backend `onnxruntime` and finds this file, a "Python-based backend" (triton-inference-server/python_backend). So
the real server reads models/ as production does, schedules and batches, and onnxruntime answers. It proves nothing about GPUs.
"""

import json
import os
import sys

# The server starts this with a PYTHONPATH of its own.
sys.path.insert(0, os.environ["TRITON_SITE_PACKAGES"])

import numpy
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        file = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]

    def execute(self, requests):
        read = [
            {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs}
            for request in requests
        ]
        rows = [len(feed[self.inputs[0]]) for feed in read]
        try:
            feed = {name: numpy.concatenate([one[name] for one in read]) for name in self.inputs}
            answers = self.session.run(self.outputs, feed)
        except Exception as error:
            failure = triton.TritonError(f"onnx runtime error: {error}")
            return [triton.InferenceResponse(error=failure) for _ in requests]
        ends = numpy.cumsum(rows)[:-1]
        parts = [numpy.split(answer, ends) for answer in answers]
        return [
            triton.InferenceResponse(
                [
                    triton.Tensor(name, numpy.ascontiguousarray(part[i]))
                    for name, part in zip(self.outputs, parts)
                    if name in request.requested_output_names()
                ]
            )
            for i, request in enumerate(requests)
        ]
