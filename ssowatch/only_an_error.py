"""Whether a text is nothing but an AWS error, or tells of one (rank 1, pure).

Rules of this file:
1. A tool's good result may quote an error: a log, a page, a ticket. Only a result that is the error and nothing else says
   that this very call failed.
2. What is not known to stand around an error makes the text more than one. A wrong no costs a failed call that the
   caller sees anyway; a wrong yes would act on a quotation.
"""

from __future__ import annotations

import re

from ssowatch.aws_errors import found
from ssowatch.squeezed import squeeze

_LONGEST = 2000
_AROUND = (  # squeezed, as the text is
    r"[\s\W_]+",
    r"errorexecutingtool[\w.-]{1,128}",
    r"toolcall[\"'][^\"']{1,128}[\"']failed",
    r"errorcallingtool[\"'][^\"']{1,128}[\"']",
    # what servers say first: "Unexpected error:", "AWS IAM Error", "Failed to list groups:"
    r"(?:an)?unexpectederror(?:occurred)?|aws[a-z]{1,30}error|pleaseretry",
    r"(?:failedto|unableto|couldnot|error)[a-z0-9_.]{1,60}[:-]",
    # what SDKs say first: class, operation, code
    r"(?:botocore|software\.amazon\.awssdk)[\w.]{1,100}",
    r"anerroroccurred\([a-z]{1,60}\)whencallingthe[a-z0-9]{1,80}operation(?:\(reachedmaxretries:\d\))?",
    r"operationerror[\w]{1,40}:[\w]{1,80},|httpsresponseerrorstatuscode:\d{3},|requestid:[\w-]{1,60},",
    r"(?:apierror)?(?:expiredtoken|unauthorized)(?:exception)?",
    # what they say last
    r"theprovidedtokenhasexpired",
    r"(?:torefreshthisssosessionrun)?[\"']?awsssologin[\"']?withthecorrespondingprofile",
    r"pleaserefreshyourcredentialsandretry\.theproxywillautomaticallyusethenewcredentialsonthenextrequest",
    # JSON around it
    r"(?:error|errors|message|(?:error_?)?type|text|content|details?|(?:error_?|status_?)?code|status|success|iserror)[\"']",
    r"[a-z]{1,60}(?:error|exception)(?=[\"'])",
    r"(?:exception|error|true|false|null|40[0-9])(?=\W|$)",
)
_FRAME = tuple(re.compile(each) for each in _AROUND)


def whole(text: str) -> bool:
    """Whether the text is nothing but an error of the table: no page, log or answer that only quotes one."""
    squeezed = squeeze(text)
    if len(squeezed) > _LONGEST:
        return False
    errors = tuple(pattern for row in found(text) if not row.alone for _, pattern in row.patterns)
    at = 0
    while at < len(squeezed):  # whatever reaches furthest is taken, and nothing is tried twice
        matches = (pattern.match(squeezed, at) for pattern in (*errors, *_FRAME))
        reached = max((match.end() for match in matches if match), default=at)
        if reached == at:
            return False
        at = reached
    return bool(errors)
