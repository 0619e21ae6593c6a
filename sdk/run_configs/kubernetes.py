"""Runs as jobs of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.sdk.run_configs.arguments import Variables, at_most_one, quantity, several, text
from headwater.sdk.run_configs.base import RunConfig
from headwater.sdk.run_configs.documents import document, document_at
from headwater.sdk.run_configs.errors import InvalidRunConfig

PULL_POLICIES = ("Always", "IfNotPresent", "Never")


class KubernetesRun(RunConfig):
    """Runs as jobs of Kubernetes. There is no agent for them yet: such a flow runs by `flow.run()`, and is not registered.

    Args:
        job_template_path: a file of YAML with the job's template, which is read here, or an address elsewhere (`s3://...`).
        job_template: the template as a dict, or as a text of YAML.
        image: the image's name.
        env: environment variables of the container.
        cpu_limit, cpu_request: processors, such as 1.5 or '500m'.
        memory_limit, memory_request: memory, such as '2Gi'.
        service_account_name: the account under which the job runs.
        image_pull_secrets: names of secrets with which the image is pulled.
        labels: labels that an agent must have.
        image_pull_policy: 'Always', 'IfNotPresent' or 'Never'.

    Raises:
        InvalidRunConfig: an argument has the wrong form, both kinds of template are given, or one cannot be read.

    """

    needs_agent_of = "Kubernetes"

    def __init__(
        self,
        *,
        job_template_path: str | None = None,
        job_template: str | Mapping[str, Any] | None = None,
        image: str | None = None,
        env: Variables | None = None,
        cpu_limit: float | str | None = None,
        cpu_request: float | str | None = None,
        memory_limit: str | None = None,
        memory_request: str | None = None,
        service_account_name: str | None = None,
        image_pull_secrets: Iterable[str] | None = None,
        labels: Iterable[str] | None = None,
        image_pull_policy: str | None = None,
    ) -> None:
        super().__init__(env=env, labels=labels)
        at_most_one(job_template_path=job_template_path, job_template=job_template)
        if image_pull_policy is not None and image_pull_policy not in PULL_POLICIES:
            raise InvalidRunConfig(f"Invalid image_pull_policy {image_pull_policy!r}.", hint=f"Write one of {', '.join(PULL_POLICIES)}.")
        self.job_template_path, read = document_at("job_template_path", job_template_path)
        self.job_template = read if read is not None else document("job_template", job_template)
        self.image = text("image", image)
        self.cpu_limit = quantity("cpu_limit", cpu_limit)
        self.cpu_request = quantity("cpu_request", cpu_request)
        self.memory_limit = quantity("memory_limit", memory_limit)
        self.memory_request = quantity("memory_request", memory_request)
        self.service_account_name = text("service_account_name", service_account_name)
        self.image_pull_secrets = several("image_pull_secrets", image_pull_secrets)
        self.image_pull_policy = image_pull_policy
