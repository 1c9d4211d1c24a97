"""Make and check ``notable_systems.csv``, the shipped table of trained systems.

``python -m validation.facts_systems FOLDER`` reads the typed facts ``notable_systems.csv`` of FOLDER and
writes the shipped table in the columns of schema ``models``. With ``--check`` nothing is written and a
difference is an error. What is decided here, and nowhere else:

- *team label*: one word for each kind of organisation that made a system (`TEAM_WORDS`), so that policies
  on public research and strictness apply; `LABELS` corrects single rows.
- *confidence*: the word of Epoch AI where a row carries one; else ``Confident`` for figures that the
  developers state or that follow from stated operations, ``Likely`` for estimates.
- *corrections* (`CORRECTED`): cells that were wrong, each with its reason in the row's notes.
- *additions*: systems that others build on or that build on others, so that links resolve (`ADDED`), and
  recent public and academic runs (`READ`).
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Mapping
from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "src" / "isoflop" / "evidence" / "tables" / "notable_systems.csv"
COLUMNS = (
    "model", "date", "train_flop", "organisations", "team_label", "notability", "confidence", "is_foundation",
    "accessibility", "base_models", "domain", "countries", "parameters", "source", "locator", "verified",
    "seen_in", "notes",
)  # fmt: skip
TEAM_WORDS = {
    "academia": "Academia",
    "industry": "Industry",
    "collaboration": "Industry,Academia",
    "nonprofit": "Non-profit",
    "government": "Government",
    "unknown": "",
}
LABELS = {
    "OLMo 2 7B": "Non-profit,Academia",
    "OLMo 2 13B": "Non-profit,Academia",
    "GPT-Neo-2.7B": "Research collective",
    "GPT-J-6B": "Research collective",
    "GPT-NeoX-20B": "Research collective",
    "BLOOM-176B": "Industry,Research collective",
}
"""Two universities stand beside Ai2 in OLMo 2; EleutherAI, LAION and BigScience are collectives."""
CORRECTED: Mapping[str, Mapping[str, str]] = {
    "PyramidNet": {
        "train_flop": "",
        "confidence": "",
        "why": "Epoch's 2.34e15 is 6 x parameters x images, which leaves out that a convolution uses each "
        "weight at every place of an image: far too low, so the compute is left empty",
    },
    "Unsupervised High-level Feature Learner": {
        "confidence": "Speculative",
        "why": "6 x parameters x images: the weights are not shared over places, but the epoch is assumed",
    },
    "FinGPT-13B": {
        "train_flop": "",
        "confidence": "",
        "why": "Epoch's 1.6e23 is the compute of the base, Llama 2-13B, which another team spent: left empty",
    },
    "OLMo 2 32B": {
        "date": "2025-03-13",
        "why": "day of release read in Ai2's post https://allenai.org/blog/olmo2-32B",
    },
    "DiT-XL/2": {
        "base_models": "Stable Diffusion v1 (LDM-KL-8-G)",
        "why": "base under its name in this table",
    },
    "DeepSeek-R1": {
        "why": "Epoch counts 4.56e24 for its base DeepSeek-V3, this table 3.286e24 (6ND, activated ones)",
    },
}
INCLUDES_BASE = ("BERT-RBP", "Flamingo", "Minerva (540B)", "Flan-PaLM 540B", "Flan-T5 11B", "DeepSeek-R1",
                 "OpenVLA", "QwQ-32B")  # fmt: skip
"""Their figure includes the compute of the base, as Epoch counts."""
SNAPSHOT = "Epoch AI, Data on AI models, snapshot 2025-04 (CC BY 4.0)"
ADDED: tuple[tuple[str, ...], ...] = (
    # model, date, train_flop, organisations, label, notability, confidence, foundation, access, base, domain,
    # countries, parameters, source
    ("LUKE", "2020-10-02", "1.555e21", "University of Washington; National Institute of Informatics",
     "Academia", "SOTA improvement", "Likely", "", "open weights", "RoBERTa Large", "Language",
     "United States; Japan", "4.83e8",
     "I. Yamada et al. (2020). LUKE: Deep Contextualized Entity Representations. arXiv:2010.01057"),
    ("ViT-G/14", "2021-06-08", "5.85e22", "Google Brain; Google Research", "Industry", "SOTA improvement",
     "Confident", "", "closed", "", "Vision", "United States", "1.843e9",
     "X. Zhai et al. (2021). Scaling Vision Transformers. arXiv:2106.04560"),
    ("SimCSE", "2022-05-18", "", "Princeton University; Tsinghua University", "Academia",
     "Highly cited; SOTA improvement", "", "", "", "RoBERTa Large", "Language", "United States; China", "",
     "T. Gao et al. (2021). SimCSE. arXiv:2104.08821"),
    ("Tk-Instruct", "2022-10-24", "",
     "University of Washington; Arizona State University; Allen Institute for AI", "Academia,Non-profit", "",
     "", "", "open weights", "T5-11B", "Language", "United States", "1.1e10",
     "Y. Wang et al. (2022). Super-NaturalInstructions. arXiv:2204.07705"),
    ("Alpaca", "2023-03-13", "", "Stanford University", "Academia", "", "", "", "open weights", "LLaMA-7B",
     "Language", "United States", "7e9",
     "R. Taori et al. (2023). Alpaca. https://crfm.stanford.edu/2023/03/13/alpaca.html"),
    ("Guanaco-65B", "2023-05-23", "", "University of Washington", "Academia", "", "", "", "open weights",
     "LLaMA-65B", "Language", "United States", "6.5e10",
     "T. Dettmers et al. (2023). QLoRA. arXiv:2305.14314"),
    ("Vicuna-33B-v1.3", "2023-06-22", "",
     "Large Model Systems Organization; University of California (UC) Berkeley", "Academia", "", "", "",
     "open weights", "LLaMA-33B", "Language", "United States", "3.3e10",
     "Large Model Systems Organization (2023). Vicuna. https://huggingface.co/lmsys/vicuna-33b-v1.3"),
    ("SPHINX (Llama 2 13B)", "2023-11-13", "3.04e22",
     "Shanghai AI Lab; Chinese University of Hong Kong (CUHK); ShanghaiTech University", "Academia",
     "SOTA improvement", "Likely", "", "open weights", "Llama 2-13B", "Multimodal", "China; Hong Kong",
     "1.99e10", "Z. Lin et al. (2023). SPHINX. arXiv:2311.07575"),
    ("Tulu V2 DPO 70B", "2023-11-20", "", "Allen Institute for AI; University of Washington",
     "Non-profit,Academia", "", "", "", "open weights", "Llama 2-70B", "Language", "United States", "7e10",
     "H. Ivison et al. (2023). Camels in a Changing Climate. arXiv:2311.10702"),
    ("OneLLM", "2023-12-06", "", "Chinese University of Hong Kong (CUHK); Shanghai AI Lab", "Academia",
     "", "", "", "open weights", "Llama 2-7B", "Multimodal", "Hong Kong; China", "7e9",
     "J. Han et al. (2023). OneLLM. arXiv:2312.03700"),
    ("CoRe", "2023-12-29", "", "Tsinghua University", "Academia", "SOTA improvement", "", "", "", "GPT-J-6B",
     "Language", "China", "1.24e10",
     "X. Zhu et al. (2022). Solving Math Word Problems via Cooperative Reasoning. arXiv:2210.16257"),
    ("Swallow", "2024-04-27", "", "Tokyo Institute of Technology", "Academia", "", "", "", "open weights",
     "Llama 2-70B", "Language", "Japan", "7e10",
     "K. Fujii et al. (2024). Continual Pre-Training for Cross-Lingual LLM Adaptation. arXiv:2404.17790"),
)  # fmt: skip
READ: tuple[tuple[str, ...], ...] = (
    # as above to source, then locator, seen in, and what the figure rests on
    ("MAP-Neo-7B", "2024-05-29", "1.89e23", "M-A-P; University of Waterloo; Wuhan AI Research; 01.AI",
     "Research collective,Academia,Other,Industry", "", "Confident", "", "open weights", "", "Language",
     "Canada; China", "7e9", "G. Zhang et al. (2024). MAP-Neo. arXiv:2405.19327", "abstract",
     "project page https://map-neo.github.io", "6ND: 7e9 parameters, 4.5e12 tokens"),
    ("Poro 34B", "2023-12-14", "2.04e23", "Silo AI; University of Turku", "Industry,Academia", "",
     "Confident", "", "open weights", "", "Language", "Finland", "3.4e10",
     "R. Luukkonen et al. (2024). Poro 34B and the Blessing of Multilinguality. "
     "https://aclanthology.org/2025.nodalida-1.40", "abstract", "abstract and model card",
     "6ND: 3.4e10 parameters, 1e12 tokens. Day as in Epoch AI's snapshot 2025-04, which leaves Silo AI out; "
     "the model card names it. Trained on LUMI"),
    ("Fugaku-LLM", "2024-05-10", "2.964e22",
     "Tokyo Institute of Technology; Tohoku University; Fujitsu; RIKEN; Nagoya University; CyberAgent; "
     "Kotoba Technologies", "Academia,Academia,Industry,Government,Academia,Industry,Industry", "",
     "Confident", "", "open weights", "", "Language", "Japan", "1.3e10",
     "Press release, Release of Fugaku-LLM (2024). "
     "https://www.hpcwire.com/off-the-wire/researchers-in-japan-develop-fugaku-llm/",
     "second paragraph; tokens: https://www.nextplatform.com/2024/05/13/"
     "japan-gets-an-llm-compliments-of-fujitsu-and-riken/", "press release and report",
     "6ND: 1.3e10 parameters, 3.8e11 tokens. Trained on the processors of Fugaku"),
    ("Moxin 7B", "2024-12-08", "8.4e22",
     "Northeastern University; Harvard University; Cornell University; Tulane University; University of "
     "Washington; Roboraction.ai; Futurewei Technologies; AIBAO",
     "Academia,Academia,Academia,Academia,Academia,Industry,Industry,Industry", "", "Likely", "",
     "open weights", "", "Language", "United States", "7e9",
     "P. Zhao et al. (2024). Moxin-LLM Technical Report. arXiv:2412.06845", "title page",
     "text of the report; tokens on https://moxin-ai.org/en/technology",
     "6ND: 7e9 parameters by name, somewhat more than 2e12 tokens"),
    ("LLM-jp-3 172B", "2024-12-24", "2.17e24", "National Institute of Informatics", "Academia", "",
     "Confident", "", "open weights", "", "Language", "Japan", "1.724e11",
     "National Institute of Informatics (2024). News release. "
     "https://www.nii.ac.jp/en/news/release/2024/1224.html", "first paragraph",
     "operator's release; sizes in the model card",
     "6ND: 1.724e11 parameters, 2.1e12 tokens. NII is an inter-university research institute: counted as "
     "academia, as Epoch AI does; rented cloud chips were used"),
    ("Salamandra-7B", "2025-01-18", "6.001e23", "Barcelona Supercomputing Center", "Facility", "",
     "Confident", "", "open weights", "", "Language", "Spain", "7.768e9",
     "Barcelona Supercomputing Center, Salamandra model card. "
     "https://huggingface.co/BSC-LT/salamandra-7b-instruct", "Model details", "model card",
     "6ND: 7.768e9 parameters, 1.2875e13 tokens. Day of version 1.1 in the file history; an earlier version "
     "had 7.8e12 tokens"),
    ("Apertus-8B", "2025-09-02", "7.2e23",
     "ETH Zurich; EPFL; Swiss National Supercomputing Centre", "Academia", "", "Confident", "yes",
     "open weights", "", "Language", "Switzerland", "8e9",
     "Swiss AI Initiative, Apertus documentation. https://apertvs.ai/docs/overview", "About the project",
     "project's documentation; day: https://thetechportal.com/2025/09/02/"
     "switzerland-launches-multilingual-open-source-ai-model-apertus-amid-transparency-concerns",
     "6ND: 8e9 parameters, about 1.5e13 tokens. Trained on Alps"),
    ("Apertus-70B", "2025-09-02", "6.3e24",
     "ETH Zurich; EPFL; Swiss National Supercomputing Centre", "Academia", "", "Confident", "yes",
     "open weights", "", "Language", "Switzerland", "7e10",
     "Swiss AI Initiative, Apertus documentation. https://apertvs.ai/docs/overview", "About the project",
     "project's documentation; day: https://thetechportal.com/2025/09/02/"
     "switzerland-launches-multilingual-open-source-ai-model-apertus-amid-transparency-concerns",
     "6ND: 7e10 parameters, about 1.5e13 tokens. Trained on Alps"),
)  # fmt: skip
"""Public and academic runs of 2024 and 2025, which the typed facts hardly have; both inputs were read."""
WHY_ADDED = {
    "Guanaco-65B": "Epoch's 5.5e23 is the compute of the base, LLaMA-65B: left empty",
    "Swallow": "Epoch lists 7e7 parameters, a slip: the name says 70B",
    "LUKE": "Epoch's 1.81e22 less the 1.66e22 of its base, as its notes divide the sum: the team's own part",
    "SPHINX (Llama 2 13B)": "the figure leaves out the compute of the base",
}


def rows(folder: Path) -> list[dict[str, str]]:
    """Return the shipped rows, by date, undated ones last."""
    with (folder / "notable_systems.csv").open(encoding="utf-8") as file:
        typed = [_row(row) for row in csv.DictReader(file)]
    more = [*(_added(row) for row in ADDED), *(_read(row) for row in READ)]
    return sorted([*typed, *more], key=lambda row: (row["date"] or "9", row["model"]))


def _row(typed: Mapping[str, str]) -> dict[str, str]:
    name = typed["system"]
    word = re.search(r"Epoch confidence: (\w+)", typed["notes"])
    known = {"stated": "Confident", "derived": "Confident", "estimated": "Likely"}
    fixed = dict(CORRECTED.get(name, {}))
    why = fixed.pop("why", "")
    notes = [f"compute {typed['flop_confidence']}", typed["notes"], why and f"Corrected or noted: {why}"]
    if name in INCLUDES_BASE:
        notes.append("the figure includes the compute of the base")
    if typed["paper"] and typed["paper"][:40] not in typed["source"]:
        notes.append(f"system's paper: {typed['paper']}")
    row = {
        "model": name,
        "date": typed["publication_date"],
        "train_flop": typed["training_flop"],
        "organisations": _one(typed["organisations"]),
        "team_label": LABELS.get(name, TEAM_WORDS[typed["sector"]]),
        "confidence": word[1] if word else known[typed["flop_confidence"]],
        "is_foundation": {"yes": "1", "no": "0", "": ""}[typed["is_foundation"]],
        "base_models": _one(typed["base_model"]),
        "countries": _one(typed["country"]),
        **{name: typed[name] for name in ("notability", "accessibility", "domain", "parameters")},
        **{name: typed[name] for name in ("source", "locator", "verified", "seen_in")},
        "notes": ". ".join(note for note in notes if note),
    }
    return row | fixed


def _one(names: str) -> str:
    """Return a list cell; a single name with a comma ends in a semicolon, so that it stays one name."""
    return f"{names};" if ";" not in names and "," in re.sub(r"\(.*?\)", "", names) else names


def _added(cells: tuple[str, ...]) -> dict[str, str]:
    row = dict(zip(COLUMNS[:14], cells, strict=True))
    row["locator"] = f"row '{row['model']}' of the snapshot"
    known = "compute as in the snapshot" if row["train_flop"] else "compute not stated"
    why = WHY_ADDED.get(row["model"], "")
    return row | {
        "verified": "secondary",
        "seen_in": SNAPSHOT,
        "notes": f"{known}{f'. {why}' if why else ''}",
    }


def _read(cells: tuple[str, ...]) -> dict[str, str]:
    row = dict(zip(COLUMNS[:14], cells[:14], strict=True))
    locator, seen_in, rests_on = cells[14:]
    row["is_foundation"] = {"yes": "1", "": ""}[row["is_foundation"]]
    return row | {
        "locator": locator,
        "verified": "read",
        "seen_in": seen_in,
        "notes": f"compute derived. {rests_on}",
    }


def text(folder: Path) -> str:
    """Return the table as CSV text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(folder))
    return out.getvalue()


def main() -> int:
    """Write or check the shipped table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    made = text(asked.folder)
    if asked.check:
        same = SHIPPED.is_file() and SHIPPED.read_text(encoding="utf-8") == made
        print("notable_systems.csv agrees" if same else "notable_systems.csv differs: run without --check")
        return 0 if same else 1
    SHIPPED.write_text(made, encoding="utf-8")
    print(f"{SHIPPED.name}: {made.count(chr(10)) - 1} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
