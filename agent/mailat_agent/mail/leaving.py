"""What forwarded mail loses on its way out, as the sending service takes it in no other form.

docs.aws.amazon.com/ses/latest/dg/header-fields.html; a message with one of ONCE twice is refused as a whole.
"""

# Signatures that a changed author breaks, traces of the way to us, and orders to the service itself.
GONE = (
    "DKIM-Signature",
    "DomainKey-Signature",
    "Return-Path",
    "Delivered-To",
    "Bounces-To",
    "X-SES-Configuration-Set",
    "X-SES-From-ARN",
    "X-SES-List-Management-Options",
    "X-SES-Message-Tags",
    "X-SES-Return-Path-ARN",
    "X-SES-Source-ARN",
)
_ONCE = """
Accept-Language AcceptLanguage Archived-At Comments Content-Alternative Content-Base Content-Class
Content-Description Content-Disposition Content-Duration Content-ID Content-Language Content-Length Content-Location
Content-MD5 Content-Transfer-Encoding Content-Type Date Disposition-Notification-Options Disposition-Notification-To
Errors-To From Importance In-Reply-To Keywords List-Archive List-Help List-ID List-Owner List-Post List-Subscribe
List-Unsubscribe List-Unsubscribe-Post Message-Context Message-ID MIME-Version Organization Original-From
Original-Message-ID Original-Recipient Original-Subject Precedence Priority References Reply-To Return-Receipt-To Sender
Solicitation Sensitivity Subject Thread-Index Thread-Topic User-Agent VBR-Info To Cc
"""
# Auto-Submitted is not among them: Dovecot lets no script touch it.
ONCE = tuple(_ONCE.split())
MORE = 3  # of each that are taken away beside the first; what has still more is nobody's honest mail


def script() -> str:
    """Sieve that leaves the first of each field, and none of those that must not leave."""
    gone = [f'deleteheader "{name}";\n' for name in GONE]
    more = [f'deleteheader :index 2 "{name}";\n' * MORE for name in ONCE]
    return "".join(gone + more)
