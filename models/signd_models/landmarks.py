"""MediaPipe Holistic's 543 landmarks, and those of them that training keeps.

Face 468, left hand 21, body 33, right hand 21. Left and right are the person's own.
"""

POINTS = 543
LEFT, BODY, RIGHT = 468, 489, 522
# fmt: off
LIP_RUNS = [
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291], [146, 91, 181, 84, 17, 314, 405, 321, 375],
    [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308], [95, 88, 178, 87, 14, 317, 402, 318, 324],
]
"""Runs of lip landmarks from the right to the left: reversing one mirrors it."""
LIPS = [i for run in LIP_RUNS for i in run]
RIGHT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173]
LEFT_EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398]
EYES = RIGHT_EYE + LEFT_EYE
# fmt: on
FACE = [*LIPS, *EYES, 1, 2, 98, 327, 152, 10, 234, 454]
"""Face landmarks that signd or a teacher looks at."""
FACE_MIRROR = [
    FACE.index(i)
    for i in [
        *[i for run in LIP_RUNS for i in run[::-1]],
        *(LEFT_EYE + RIGHT_EYE),
        *[1, 2, 327, 98, 152, 10, 454, 234],
    ]
]
"""For each of them the one that is its mirror image, as an index into `FACE`."""
BODY_KEPT = 25
"""Body landmarks kept: head, arms, hips."""
KEPT = [
    *FACE,
    *range(LEFT, LEFT + 21),
    *range(BODY, BODY + BODY_KEPT),
    *range(RIGHT, RIGHT + 21),
]
"""The landmarks that a clip keeps, as indices among the 543."""
N_FACE = len(FACE)
AT_LEFT = slice(N_FACE, N_FACE + 21)
AT_BODY = slice(N_FACE + 21, N_FACE + 21 + BODY_KEPT)
AT_RIGHT = slice(N_FACE + 21 + BODY_KEPT, N_FACE + 42 + BODY_KEPT)
AT_LIPS = slice(0, len(LIPS))
AT_FACE = slice(0, N_FACE)
SHOULDERS = [AT_BODY.start + 11, AT_BODY.start + 12]
"""Left and right shoulder among the kept."""
ELBOWS = [AT_BODY.start + 13, AT_BODY.start + 14]
WRISTS = [AT_BODY.start + 15, AT_BODY.start + 16]
BODY_MIRROR = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i ^ 1 for i in range(10, 26))]
"""Body landmark that is the mirror image of each; from 11 on left and right alternate."""
