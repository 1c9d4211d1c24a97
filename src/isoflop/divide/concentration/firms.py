"""Laboratories and units of one owner, so that a firm under several names is one holder.

Our own short list of names as tables of systems write them. A name not listed stays as it is; a spin-off
or a joint institute is not merged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FIRMS: Mapping[str, str] = {
    "Google": r"google|deep ?mind|alphabet\b|waymo",
    "Meta": r"meta\b|facebook|fair$",
    "Microsoft": r"microsoft",
    "NVIDIA": r"nvidia",
    "Amazon": r"amazon|aws\b|a9\.com",
    "Apple": r"apple\b",
    "IBM": r"ibm\b|thomas j\.? watson research",
    "Intel": r"intel\b|nervana",
    "Salesforce": r"salesforce",
    "Adobe": r"adobe",
    "Alibaba": r"alibaba|damo academy|taobao",
    "Baidu": r"baidu",
    "Tencent": r"tencent",
    "Huawei": r"huawei|noah'?s ark lab",
    "ByteDance": r"bytedance|byte ?dance|tiktok",
    "SenseTime": r"sense ?time",
    "Samsung": r"samsung",
    "NAVER": r"naver|clova",
    "LG": r"lg\b",
    "Yandex": r"yandex",
    "Sony": r"sony",
    "xAI": r"xai$",
}
"""Owner to a pattern that its names begin with, in lower case."""
_PATTERNS = tuple((firm, re.compile(pattern)) for firm, pattern in FIRMS.items())


def firm_of(name: str) -> str:
    """Return the owner of an organisation where it is listed, else the name itself.

    Examples
    --------
    >>> firm_of("Google Research"), firm_of("DeepMind"), firm_of("Meta AI"), firm_of("Metaspace")
    ('Google', 'Google', 'Meta', 'Metaspace')
    """
    plain = name.strip().lower()
    return next((firm for firm, pattern in _PATTERNS if pattern.match(plain)), name.strip())
