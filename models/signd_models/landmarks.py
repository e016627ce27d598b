"""MediaPipe Holistic's 543 landmarks, and those of them that a row shows.

Face 468, left hand 21, body 33, right hand 21. Left and right are the person's own.
"""

POINTS = 543
LEFT, BODY, RIGHT = 468, 489, 522
# fmt: off
RIGHT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173]
LEFT_EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398]
LIP_RUNS = [
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291], [185, 40, 39, 37, 0, 267, 269, 270, 409],
    [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308], [191, 80, 81, 82, 13, 312, 311, 310, 415],
]
# fmt: on
"""Runs of lip landmarks from the right to the left: reversing one mirrors it."""
LIPS = [i for run in LIP_RUNS for i in run]
NOSE = [1, 2, 98, 327]
ROW_POINTS = [
    *range(RIGHT, RIGHT + 21),
    *range(LEFT, LEFT + 21),
    *LIPS,
    *NOSE,
    *RIGHT_EYE,
    *LEFT_EYE,
]
"""The landmarks of a row that the network sees, of a signer whose right hand is dominant."""
MIRRORED_POINTS = [
    *range(LEFT, LEFT + 21),
    *range(RIGHT, RIGHT + 21),
    *[i for run in LIP_RUNS for i in run[::-1]],
    *[1, 2, 327, 98],
    *LEFT_EYE,
    *RIGHT_EYE,
]
ROW_MIRROR = [ROW_POINTS.index(i) for i in MIRRORED_POINTS]
"""For each landmark of a row the one that is its mirror image."""
FINGERS = [(1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20)]
"""Landmarks of a hand's fingers, from the palm outwards."""
