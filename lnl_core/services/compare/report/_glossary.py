"""The words of a report, each explained where the report uses it."""

from __future__ import annotations

import re
from html import escape

TERMS = (
    ("Given label", "given", "The label that an image came with. It may be wrong."),
    (
        "Suggested label",
        "suggested label",
        "The most probable class other than the given one. A proposal, no correction.",
    ),
    (
        "Suspicion",
        "suspicion",
        "What one method says of one label, from 0 to 1; 1 is surely wrong. Only its order is "
        "compared between methods.",
    ),
    (
        "p wrong",
        "p wrong",
        "Chance that the given label is wrong, by all methods together: a model's guess, scaled so "
        "that it fits what is known of how many labels are wrong.",
    ),
    (
        "Consensus",
        "consensus",
        "The order that all methods of the table give together; the review queue follows it.",
    ),
    (
        "Baseline",
        "baselines?|┅┅",
        "A usual method that the published ones have to beat; its lines are dashed.",
    ),
    (
        "Reconstruction",
        "reconstruction",
        "A method whose paper could not be read in full: it is built after what is known of it.",
    ),
    (
        "Told",
        "was told",
        "A run that learned from people's answer to an image knows it: that image does not judge "
        "the run.",
    ),
    (
        "Precision",
        "precision",
        "Of the images looked at so far, the share whose label is wrong.",
    ),
    (
        "Recall",
        "recall",
        "Of all wrong labels, the share that is among the images looked at so far.",
    ),
    (
        "Average precision, AP",
        r"\bAP\b",
        "Precision averaged over every place at which a wrong label is found. 1: all wrong labels "
        "come first; by chance it is the share of wrong labels.",
    ),
    (
        "P@k",
        "P@k",
        "Precision after as many images as there are wrong labels.",
    ),
    (
        "In first 20 %",
        "in first 20 %",
        "Share of all wrong labels that is found among the first fifth of the images.",
    ),
    (
        "Right fix",
        "right fix",
        "Share of wrong labels for which the suggested class is the true one.",
    ),
    (
        "95 % interval",
        "95[\u202f ]%",
        "Made so that 95 of 100 such intervals hold the true value. Two that overlap may still "
        "differ: pairs are compared on the same images.",
    ),
    (
        "Bootstrap",
        "bootstrap",
        "Measuring again on images drawn anew from the same images, to see how far a number moves "
        "by chance.",
    ),
    (
        "Holm's procedure",
        "Holm",
        "Of many comparisons some look clear by chance. It raises each p so that, of all of them "
        "together, a false one is called clear at most 5 times in 100.",
    ),
    (
        "McNemar's test",
        "McNemar",
        "Of two methods asked of the same images, it counts only those that one finds and the "
        "other does not.",
    ),
    (
        "Spearman correlation",
        "Spearman",
        "How alike two orders are: 1 the same, 0 unrelated, −1 turned round.",
    ),
    (
        "Loss",
        "loss of the given label",
        "Minus the logarithm of the probability that a network gives to the given label, in nats: "
        "0 where it is sure of it, 2.3 where it gives one in ten.",
    ),
    (
        "Epoch",
        "epochs?",
        "One pass of training over all images.",
    ),
    (
        "Seed",
        "seeds?",
        "The number that all chance of a run comes from. Another seed shows how much is luck.",
    ),
    (
        "Preset",
        "preset",
        "The size of a run: quick for a first look, standard, or paper for the published settings.",
    ),
    (
        "Sharpened answer",
        "sharpened",
        "Probabilities pressed towards one class, by a temperature, before the network learns from "
        "them; they can be only so sure.",
    ),
    (
        "Code, sub-loss",
        "sub-loss",
        "Each class is a row of bits, and the network learns each bit by itself. Its loss on one "
        "bit is a sub-loss; where they differ much, the label is doubtful.",
    ),
    (
        "Round of removal",
        "removed",
        "Labels that pull a network away from the others are taken out, in rounds, and it is "
        "trained anew without them.",
    ),
    (
        "Purified label",
        "purif",
        "What a method puts in place of the given label, so that a simple model that learns from "
        "it is right on labels that are trusted.",
    ),
    (
        "Activation map",
        "mask of|activation maps?|the more a place speaks",
        "Where in the image a network finds what speaks for a class; its mask is the part above "
        "0.4 of its maximum.",
    ),
    (
        "Random check",
        "random(?:ly)? (?:checks?|audits?)|checked at random",
        "An image drawn by chance, whatever methods say of it. Only these tell how many labels are "
        "wrong in all.",
    ),
    (
        "UMAP",
        "UMAP",
        "A map in which images with similar features lie close. Distances between far groups mean "
        "little.",
    ),
)
"""Term, what shows that it is used (any case), and what it means."""


def glossary(used: str) -> str:
    """Return the terms that a text uses, in order.

    Args:
        used: all that the report says, figures included.
    """
    words = "".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(meaning)}</dd></div>"
        for term, sign, meaning in TERMS
        if re.search(sign, used, re.IGNORECASE)
    )
    return f'<dl class="terms">{words}</dl>'
