"""A policy as a page to publish: what a person who calls wants to know, in each language that is announced."""

from asterisk_consent.prompts.page.blocks import Link, Page
from asterisk_consent.prompts.page.content import policy_page
from asterisk_consent.prompts.page.render import page_html, page_text
from asterisk_consent.prompts.page.words import UNREVIEWED, page_languages, words_of

__all__ = [
    "UNREVIEWED",
    "Link",
    "Page",
    "page_html",
    "page_languages",
    "page_text",
    "policy_page",
    "words_of",
]
