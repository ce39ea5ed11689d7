"""The words of ImageNet's classes, and weights kept as bytes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.training.things_export import in_bytes, known_words

onnx = pytest.importorskip("onnx")


def test_words_mean_all_classes_that_carry_them() -> None:
    names = [f"kind {number}" for number in range(1000)]
    for number, name in enumerate(CLASSES):
        names[number] = name
    words = known_words(names)
    assert words["sunglass"] == [0] and words["sunglasses"] == [0, 1] and words["spectacles"] == [0, 1]
    assert words["pembroke welsh corgi"] == [2] and words["corgi"] == [2]
    assert set(words["dog"]) == set(range(151, 269))
    assert "" not in words


# What the kinds of the table are called.
CLASSES = (
    "sunglass", "sunglasses, dark glasses, shades", "Pembroke, Pembroke Welsh corgi",
    "mushroom", "agaric", "bolete", "earthstar", "stinkhorn", "hen-of-the-woods", "daisy", "yellow lady's slipper",
    "sorrel", "ox", "ram", "bighorn", "drake", "red-breasted merganser", "running shoe", "loafer", "clog", "sandal",
    "cowboy boot", "teddy, teddy bear", "analog clock", "digital clock", "wall clock", "cup", "coffee mug", "beach wagon",
    "cab", "convertible", "jeep", "limousine", "minivan", "racer", "sports car", "fire engine", "moving van", "pickup",
    "airliner", "warplane", "canoe", "gondola", "lifeboat", "speedboat", "yawl", "liner", "steam locomotive",
    "electric locomotive", "bicycle-built-for-two", "mountain bike", "laptop", "notebook", "studio couch", "lampshade",
    "sombrero", "bonnet", "purse", "mailbag", "backpack", "basketball", "volleyball",
)  # fmt: skip


def test_opencv_computes_with_weights_kept_as_bytes() -> None:
    dice = np.random.default_rng(3)
    weight = (
        dice.normal(0, 1, (5, 4, 3, 3)).astype(np.float32)
        * np.array([0.01, 1, 30, 2, 5], np.float32)[:, None, None, None]
    )
    bias = dice.normal(0, 1, 5).astype(np.float32)
    made = onnx.helper.make_node("Conv", ["seen", "weight", "bias"], ["out"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    shapes = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, 6, 6])
        for name, channels in (("seen", 4), ("out", 5))
    ]
    kept = [onnx.numpy_helper.from_array(values, name) for name, values in (("weight", weight), ("bias", bias))]
    graph = onnx.helper.make_graph([made], "plain", shapes[:1], shapes[1:], kept)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    pixels = dice.normal(0, 1, (1, 4, 6, 6)).astype(np.float32)

    def run() -> np.ndarray:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
        net.setInput(pixels)
        return net.forward()[0]

    plain = run()
    in_bytes(model.graph, onnx)
    assert max(len(one.raw_data) for one in model.graph.initializer) == weight.size
    near = run()
    for one, other in zip(near, plain, strict=True):
        assert np.abs(one - other).max() < 0.03 * np.abs(other).max()
