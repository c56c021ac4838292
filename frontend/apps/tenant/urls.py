from django.urls import path

from apps.tenant.views import activity, data, invitations, members, support

app_name = "tenant"
urlpatterns = [
    path("members/", members.listing, name="members"),
    path("members/tenant-name/", members.rename, name="rename"),
    path("members/invite/", invitations.invite, name="invite"),
    path("members/invitations/<uuid:passkey_id>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("members/<uuid:user_id>/role/", members.change_role, name="member-role"),
    path("members/<uuid:user_id>/remove/", members.remove, name="member-remove"),
    path("members/<uuid:user_id>/hand-over/", members.hand_over, name="member-hand-over"),
    path("audit/", activity.listing, name="audit"),
    path("audit/export.csv", activity.export, name="audit-export"),
    path("support/", support.listing, name="support"),
    path("support/<uuid:grant_id>/", support.accesses, name="support-accesses"),
    path("support/<uuid:grant_id>/revoke/", support.revoke, name="support-revoke"),
    path("data/", data.overview, name="data"),
    path("data/export/", data.export, name="data-export"),
    path("data/exports/", data.exports, name="data-exports"),
    path("data/exports/<uuid:export_id>/download/", data.download, name="data-download"),
    path("data/delete/", data.delete, name="data-delete"),
    path("data/delete/undo/", data.undo_delete, name="data-delete-undo"),
]
