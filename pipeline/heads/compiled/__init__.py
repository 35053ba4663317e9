"""The compiled engine: explicit vectors, strict IEEE arithmetic, sums in fixed lanes.

In the order in which an image goes through it: engine (what calls it), layout (what it takes), loop (batch after batch), image
(an image's windows), winograd (what the products take of them), forward (feature maps and pool), losses, backward (gradients),
and the update, in loop again. Below them: maps, tiles and pixels write the instructions of one step each, vectors, tuples and
arithmetic those of single operations; registers says what the CPU has, compiling how all of it is compiled, and __main__ does
that before a sweep has to.
"""
