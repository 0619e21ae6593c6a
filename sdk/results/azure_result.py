"""Values in Azure Blob Storage."""

from __future__ import annotations

from typing import Any

from headwater.sdk.results.remote_result import RemoteResult


class AzureResult(RemoteResult):
    """Keeps values in a container of Azure Blob Storage; further arguments are those of `adlfs`. Needs `headwater[azure]`.

    The connection string is `connection_string`, the secret that `connection_string_secret` names, or what the variable
    `AZURE_STORAGE_CONNECTION_STRING` says.
    """

    protocol = "abfs"
    extra = "azure"

    def __init__(
        self,
        container: str | None = None,
        connection_string: str | None = None,
        *,
        connection_string_secret: str | None = None,
        **options: Any,
    ) -> None:
        if connection_string is not None:
            options = {**options, "connection_string": connection_string}
        self.connection_string_secret = connection_string_secret
        super().__init__(container, **options)

    def _files(self) -> Any:
        if self.connection_string_secret is not None and "connection_string" not in self.options:
            from headwater.sdk.context.secrets import Secret

            self.options = {**self.options, "connection_string": Secret(self.connection_string_secret).get()}
            try:
                return super()._files()
            finally:
                self.options = {name: value for name, value in self.options.items() if name != "connection_string"}
        return super()._files()
