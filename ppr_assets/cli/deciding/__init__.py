"""What a human decides, and the next night holds to: policy, ratchet.

A decision that is an option of another verb belongs to that verb.
"""
