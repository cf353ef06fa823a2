"""What is made of a spec once, at its first use, so that each call costs less: its checks, its request, its outputs.

What a compiled function gives is what the general way gives, which reads the spec anew each time. Where a value does not fit,
a compiled function raises Misfit, and the general way words what is wrong.
"""
