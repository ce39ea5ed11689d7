"""Finds the probable place of the subject, without any hint and without a learned model.

The method is robust background detection (Zhu, Liang, Wei, Sun, "Saliency Optimization from Robust Background Detection",
CVPR 2014): what is connected to the frame of the photo by a path of similar colours is background in proportion to how
much of the frame it holds; the subject is what stands out from that. Added is a mild preference for the middle.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

REGION_SIDE = 14
"""Side of a superpixel in working pixels."""

_GEODESIC_SIGMA = 7.0
_APPEARANCE_SIGMA = 10.0
_SPATIAL_SIGMA = 0.25
_BOUNDARY_SIGMA = 1.0
_SMOOTHNESS = 0.1
_CENTRE_SIGMA = 0.33


@dataclass(frozen=True, eq=False)
class Regions:
    """A photo as superpixels.

    Attributes:
        labels: int32 (h, w), 0 … N-1.
        colours: float32 (N, 3), mean Lab colour in units of about one just noticeable difference.
        centres: float32 (N, 2), mean (x, y) as shares of the longer side.
        areas: float32 (N,), pixels.
        frame: bool (N,), touches the photo's frame.
        geodesic: float32 (N, N), length of the cheapest path of colour differences between two superpixels.
    """

    labels: np.ndarray
    colours: np.ndarray
    centres: np.ndarray
    areas: np.ndarray
    frame: np.ndarray
    adjacent: np.ndarray
    geodesic: np.ndarray


def find_regions(rgb: np.ndarray) -> Regions:
    """Superpixels of a small photo, uint8 (h, w, 3) of about 256 pixels a side, and the distances between them."""
    height, width = rgb.shape[:2]
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    labels = _superpixels(lab)
    count = int(labels.max()) + 1
    flat = labels.reshape(-1)
    areas = np.bincount(flat, minlength=count).astype(np.float32)
    colours = np.stack([np.bincount(flat, lab[..., c].reshape(-1), count) for c in range(3)], 1) / areas[:, None]
    ys, xs = np.mgrid[:height, :width]
    side = max(height, width)
    centres = np.stack([np.bincount(flat, v.reshape(-1), count) for v in (xs, ys)], 1) / areas[:, None] / side
    frame = np.zeros(count, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        frame[edge] = True
    adjacent = np.zeros((count, count), bool)
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        adjacent[one, other] = True
    adjacent |= adjacent.T
    np.fill_diagonal(adjacent, False)
    colours = colours.astype(np.float32)
    return Regions(
        labels, colours, centres.astype(np.float32), areas, frame, adjacent, _geodesic(colours, adjacent, frame)
    )


def saliency(regions: Regions) -> tuple[np.ndarray, np.ndarray]:
    """Measure how much each superpixel stands out, and how surely it is background; both float32 (N,), 0 … 1."""
    near = np.exp(-(regions.geodesic**2) / (2 * _GEODESIC_SIGMA**2))
    spanning = near.sum(1)
    along_frame = near[:, regions.frame].sum(1)
    connectivity = along_frame / np.sqrt(spanning)
    background = 1 - np.exp(-(connectivity**2) / (2 * _BOUNDARY_SIGMA**2))

    difference = colour_distances(regions.colours)
    apart = colour_distances(regions.centres)
    contrast = (difference * np.exp(-(apart**2) / (2 * _SPATIAL_SIGMA**2))) @ background
    middle = (regions.centres.max(0) + regions.centres.min(0)) / 2
    off_middle = ((regions.centres - middle) ** 2).sum(1)
    contrast *= np.exp(-off_middle / (2 * _CENTRE_SIGMA**2))
    contrast = (contrast - contrast.min()) / max(float(np.ptp(contrast)), 1e-6)

    bond = np.where(regions.adjacent, np.exp(-(difference**2) / (2 * _APPEARANCE_SIGMA**2)) + _SMOOTHNESS, 0.0)
    # Minimises sum w_bg s² + sum contrast (s - 1)² + sum bond (s_i - s_j)².
    system = np.diag(bond.sum(1) + background + contrast) - bond
    # Positive definite. OpenCV's solver, because the other one wakes all cores for a matrix this small.
    _, found = cv2.solve(
        system + 1e-6 * np.eye(len(system)), contrast[:, None].astype(np.float64), flags=cv2.DECOMP_CHOLESKY
    )
    found = found[:, 0]
    return np.clip(found, 0, 1).astype(np.float32), background.astype(np.float32)


def _superpixels(lab: np.ndarray) -> np.ndarray:
    """Watershed of the colour gradient from seeds on a grid: int32 (h, w), 0 … N-1."""
    height, width = lab.shape[:2]
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.sqrt((dx**2 + dy**2).sum(2))
    relief = np.clip(strength * 4, 0, 255).astype(np.uint8)
    rows = np.linspace(0, height, max(1, round(height / REGION_SIDE)) + 1).astype(int)
    columns = np.linspace(0, width, max(1, round(width / REGION_SIDE)) + 1).astype(int)
    seeds = np.zeros((height, width), np.int32)
    cells = np.zeros((height, width), np.int32)
    number = 0
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            number += 1
            # The calmest spot of the cell: a seed on an edge would join both sides.
            cell = strength[top:bottom, left:right]
            cells[top:bottom, left:right] = number
            inner = cell[
                cell.shape[0] // 4 : -(cell.shape[0] // 4) or None, cell.shape[1] // 4 : -(cell.shape[1] // 4) or None
            ]
            y, x = np.unravel_index(int(inner.argmin()), inner.shape)
            seeds[top + cell.shape[0] // 4 + y, left + cell.shape[1] // 4 + x] = number
    labels = cv2.watershed(cv2.cvtColor(relief, cv2.COLOR_GRAY2BGR), seeds)
    # Watershed leaves lines of -1 between the basins and around the picture; of a tiny picture nothing is left over.
    if not (labels > 0).any():
        labels = cells
    while (labels < 1).any():
        spread = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
        labels = np.where(labels < 1, spread, labels)
    return np.unique(labels, return_inverse=True)[1].reshape(height, width).astype(np.int32)


def colour_distances(points: np.ndarray) -> np.ndarray:
    squares = (points**2).sum(1)
    return np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * points @ points.T, 0))


def _geodesic(colours: np.ndarray, adjacent: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """All cheapest paths (Floyd–Warshall). Frame regions count as neighbours: the background goes on behind the subject."""
    difference = colour_distances(colours)
    linked = adjacent | (frame[:, None] & frame[None])
    # Differences that every surface has within itself cost nothing.
    nearest = np.where(adjacent, difference, np.inf).min(1)
    slack = float(np.mean(nearest[np.isfinite(nearest)])) if np.isfinite(nearest).any() else 0.0
    path = np.where(linked, np.maximum(difference - slack, 0), np.inf).astype(np.float32)
    np.fill_diagonal(path, 0)
    for middle in range(len(path)):
        np.minimum(path, path[:, middle, None] + path[None, middle], out=path)
    return path
