"""The roles that people hold, and those among them that are found otherwise. Words only: rules know them too."""

from __future__ import annotations

OWNER = "owner"
"""Found by the case's fact `customer`, never by holding the role: a site has many owners."""

ASSIGNEE = "assignee"
"""Found by the case's fact `assignee`, a recipient id; nobody holds it as a role."""

ROLES = (
    "front_desk",
    "first_contact",
    "steward",
    "head_steward",
    "service_assistant",
    "service_supervisor",
    "centre_director",
    "property_manager",
    "general_manager",
    "company_leader",
    "spokesperson",
    "department_head",
    "engineering_supervisor",
    "technician",
    "security_supervisor",
    "guard",
    "environment_supervisor",
    "lobby_assistant",
    "lobby_lead",
    "finance",
    "admin_office",
    OWNER,
    "warranty_contractor",
    "developer_company",
    "courier",
)
"""Roles that recipients hold. Source: domain.md §1, Roles."""

UNREACHABLE = "unreachable"
"""The message that goes to the next role up, in place of the original text."""
