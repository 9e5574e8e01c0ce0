"""Every order in which programs may meet at one token file, tried: the real code, one step at a time.

scheduler   threads of which one runs at a time, from one step to the next
seams       what is a step: the system calls of `files` and `cache`, and AWS's answers
actors      who takes part: ssowatch's own functions, and AWS programs that know no lock
stage       one home and one Identity Center, and what a moment there looks like
oracle      what must hold at each end
explore     depth first through all choices; a state that was met before is not gone into again
"""
