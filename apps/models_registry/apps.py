"""Django configuration of the models_registry app."""

from django.apps import AppConfig


class ModelsRegistryConfig(AppConfig):
    name = "apps.models_registry"
    label = "models_registry"
    verbose_name = "Models registry"
    default_auto_field = "django.db.models.BigAutoField"
