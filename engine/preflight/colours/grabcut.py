"""GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004): OpenCV's graph cut, our own first colour models, from rough to fine.

OpenCV clusters all pixels to begin with, which takes longer than the cut itself and depends on a shared random source.
Here a few thousand pixels are clustered from a fixed start: the same photo gets the same mask every time, from any thread.
The rough cut is made in a small picture; a band around its outline is cut again in a larger one with the models kept.
"""

from __future__ import annotations

import cv2
import numpy as np

BACKGROUND, SUBJECT, MAYBE_BACKGROUND, MAYBE_SUBJECT = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD

COMPONENTS = 5
"""Gaussians in a colour model; OpenCV has this number built in."""

_SAMPLE = 2000
_BAND = 5
_FAINTEST = 1e-12
_VARIANCE = 4.0
"""Added to every Gaussian: one grey level of noise, so that flat colours stay invertible."""

Models = tuple[np.ndarray, np.ndarray]
"""Colour models of background and subject, each float64 (1, 65) in OpenCV's layout: weights, means, covariances."""


def fit_models(rgb: np.ndarray, trimap: np.ndarray) -> Models:
    """Colour models of both sides of a trimap; both sides have to appear."""
    subject = (trimap & 1).astype(bool)
    return _fit(rgb[~subject]), _fit(rgb[subject])


def _fit(pixels: np.ndarray) -> np.ndarray:
    if len(pixels) > _SAMPLE:
        pixels = pixels[np.linspace(0, len(pixels) - 1, _SAMPLE).astype(int)]
    values = pixels.astype(np.float32)
    count = min(COMPONENTS, len(values))
    # A fixed start: equal parts along the direction in which the colours vary most.
    centred = values - values.mean(0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(centred @ axes[:, -1], kind="stable")
    labels = np.empty((len(values), 1), np.int32)
    labels[order, 0] = np.arange(len(values)) * count // len(values)
    if count > 1:
        criteria = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 8, 0.5)
        _, found, _ = cv2.kmeans(values, count, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
        labels = np.asarray(found, np.int32)
    model = np.zeros((1, 13 * COMPONENTS))
    weights = model[0, :COMPONENTS]
    means = model[0, COMPONENTS : 4 * COMPONENTS].reshape(COMPONENTS, 3)
    covariances = model[0, 4 * COMPONENTS :].reshape(COMPONENTS, 3, 3)
    covariances[:] = np.eye(3)
    for index in range(count):
        members = values[labels[:, 0] == index]
        if len(members) == 0:
            continue
        weights[index] = len(members) / len(values)
        means[index] = members.mean(0)
        difference = members - members.mean(0)
        covariances[index] = difference.T @ difference / len(members) + _VARIANCE * np.eye(3)
    return model


def colour_logits(rgb: np.ndarray, models: Models) -> np.ndarray:
    """Logarithm of how much likelier each colour is for the subject than for the background, float64 (h, w)."""
    pixels = rgb.reshape(-1, 3).astype(np.float64)
    background, subject = (_density(pixels, model) for model in models)
    return np.log((subject + _FAINTEST) / (background + _FAINTEST)).reshape(rgb.shape[:2])


def _density(pixels: np.ndarray, model: np.ndarray) -> np.ndarray:
    """The density of a colour model at colours (N, 3): (N,), but for a constant factor."""
    weights = model[0, :COMPONENTS]
    means = model[0, COMPONENTS : 4 * COMPONENTS].reshape(COMPONENTS, 3)
    covariances = model[0, 4 * COMPONENTS :].reshape(COMPONENTS, 3, 3)
    out = np.zeros(len(pixels))
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        if weight > 0:
            away = pixels - mean
            distance = ((away @ np.linalg.inv(covariance)) * away).sum(1)
            out += weight * np.exp(-0.5 * distance) / np.sqrt(np.linalg.det(covariance))
    return out


def cut(
    rgb: np.ndarray, trimap: np.ndarray, rounds: int = 2, models: Models | None = None
) -> tuple[np.ndarray, Models]:
    """Cut a small picture.

    Args:
        rgb: uint8 (h, w, 3).
        trimap: uint8 (h, w) of the four values above.
        rounds: of fitting colours and cutting; 0 cuts once with the models as they are.
        models: for ``rounds`` = 0; fitted to the trimap if not given.

    Returns:
        bool (h, w), True where the subject is, and the colour models for ``cut_band``.
    """
    state = trimap.copy()
    inside = (state & 1).astype(bool)
    for number in range(max(rounds, 1)):
        if inside.all() or not inside.any():
            break  # nothing to compare
        if models is None or number > 0:
            models = fit_models(rgb, state)
        if not ((state == MAYBE_SUBJECT) | (state == MAYBE_BACKGROUND)).any():
            break
        # The rectangle counts only where OpenCV makes the trimap itself.
        cv2.grabCut(rgb, state, (0, 0, 1, 1), models[0].copy(), models[1].copy(), 1, cv2.GC_EVAL_FREEZE_MODEL)
        before, inside = inside, (state & 1).astype(bool)
        if np.array_equal(before, inside):
            break
    if models is None:
        models = (np.zeros((1, 13 * COMPONENTS)), np.zeros((1, 13 * COMPONENTS)))
    return inside, models


def cut_band(rgb: np.ndarray, rough: np.ndarray, models: Models, fixed: np.ndarray) -> np.ndarray:
    """The outline again, in a larger picture, within a band around the rough one. Returns bool (h, w).

    Args:
        rough: bool, the rough cut at any size.
        fixed: uint8 (h, w), ``BACKGROUND`` or ``SUBJECT`` where that is decided, anything else elsewhere.
    """
    height, width = rgb.shape[:2]
    large = cv2.resize(rough.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR) >= 128
    large_solid = large.astype(np.uint8)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BAND + 1, 2 * _BAND + 1))
    state = np.where(large, MAYBE_SUBJECT, MAYBE_BACKGROUND).astype(np.uint8)
    state[cv2.erode(large_solid, around) > 0] = SUBJECT
    state[cv2.dilate(large_solid, around) == 0] = BACKGROUND
    state = np.where(fixed <= SUBJECT, fixed, state).astype(np.uint8)
    inside = (state & 1).astype(bool)
    if inside.all() or not inside.any():
        return inside
    return cut(rgb, state, 0, models)[0]
